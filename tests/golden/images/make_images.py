#!/usr/bin/env python3
"""Writes the golden cases of the image tests: small files of every kind and the pixels that Pillow or
OpenCV decode from them, and checksums of what they resize noise to.

decode.csv         input file, expected pixels (PAM, https://netpbm.sourceforge.net/doc/pam.html), how
resize_pillow.csv  input width, height, channels, pattern, filter, output width, height, CRC-32
resize_opencv.csv  input width, height, channels, pattern, type, filter, output width, height, CRC-32

Made with Pillow 13.0.0 (libjpeg-turbo 3.2.0), OpenCV 5.0.0 (cv2.ipp.setUseIPP(False)), NumPy 2.4.6.
"""

import io
import pathlib
import struct
import zlib

import cv2
import numpy as np
import PIL
from PIL import Image, ImageCms, ImageOps

HERE = pathlib.Path(__file__).parent
FILES, EXPECTED = HERE / "files", HERE / "expected"
cv2.ipp.setUseIPP(False)
cases = []


def picture(height, width, channels, bits=8, seed=0):
    """Gradients, an edge and some noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    planes = [(x * 7 + y * 3) % 256, (y * 11 + 40) % 256, ((x - y) * 5) % 256, (x * y + 64) % 256]
    image = np.stack(planes[:channels], -1) + rng.integers(-20, 21, (height, width, channels))
    image[height // 3 : height // 2, width // 3 : width // 2, 0] = 255
    image = np.clip(image, 0, 255)
    if bits == 16:
        return (image * 257 - rng.integers(0, 200, image.shape)).clip(0, 65535).astype(np.uint16)
    return image.astype(np.uint8)


def write_pam(path, pixels):
    height, width, channels = pixels.shape
    kind = ["GRAYSCALE", "GRAYSCALE_ALPHA", "RGB", "RGB_ALPHA"][channels - 1]
    largest = np.iinfo(pixels.dtype).max
    head = f"P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH {channels}\nMAXVAL {largest}\nTUPLTYPE {kind}\nENDHDR\n"
    path.write_bytes(head.encode() + pixels.astype(pixels.dtype.newbyteorder(">")).tobytes())


def case(name, data, pixels, how="stored"):
    """how: stored, or upright (turned as its EXIF block says)."""
    pixels = np.asarray(pixels)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    (FILES / name).write_bytes(data)
    expected = name.replace(".", "_") + ("_upright" if how == "upright" else "") + ".pam"
    write_pam(EXPECTED / expected, pixels)
    cases.append(f"{name},{expected},{how}")


def pillow(data, mode=None):
    image = Image.open(io.BytesIO(data))
    return np.asarray(image.convert(mode) if mode else image)


def opencv(data):
    """Red first, as OpenCV leaves the file's depth and channels."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    order = {3: [2, 1, 0], 4: [2, 1, 0, 3]}
    return image if image.ndim == 2 else image[..., order[image.shape[2]]]


def srgb_profile():
    """The same bytes every time: bytes 24 to 35 hold the date."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + profile[36:]


# PNG: written here, for Pillow and OpenCV do not write every depth, interlacing and tRNS chunk.


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed_rows(samples, depth):
    """Rows of (height, width, channels) samples, each after a filter byte (none)."""
    rows = b""
    for row in samples:
        flat = row.reshape(-1)
        if depth == 16:
            packed = flat.astype(">u2").tobytes()
        elif depth == 8:
            packed = flat.astype(np.uint8).tobytes()
        else:
            bits = "".join(format(int(v), f"0{depth}b") for v in flat)
            bits += "0" * (-len(bits) % 8)
            packed = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
        rows += b"\0" + packed
    return rows


def png(samples, depth, color, interlaced=False, extra=()):
    height, width = samples.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced))
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = b""
    for y, x, step_y, step_x in passes:
        part = samples[y::step_y, x::step_x]
        if part.size:
            rows += packed_rows(part, depth)
    body = chunk(b"IHDR", header) + b"".join(chunk(*e) for e in extra)
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def make_png():
    rng = np.random.default_rng(1)
    sizes = {False: (17, 23), True: (13, 21)}
    for interlaced in (False, True):
        tail = "_interlaced" if interlaced else ""
        h, w = sizes[interlaced]
        for depth in (1, 2, 4):
            data = png(rng.integers(0, 1 << depth, (h, w, 1)), depth, 0, interlaced)
            case(f"grey_{depth}{tail}.png", data, pillow(data, "L"))
        data = png(picture(h, w, 1), 8, 0, interlaced)
        case(f"grey_8{tail}.png", data, pillow(data))
        data = png(picture(h, w, 1, 16), 16, 0, interlaced)
        case(f"grey_16{tail}.png", data, opencv(data))
        data = png(picture(h, w, 2), 8, 4, interlaced)
        case(f"grey_alpha_8{tail}.png", data, pillow(data))
        data = png(picture(h, w, 2, 16), 16, 4, interlaced)
        case(f"grey_alpha_16{tail}.png", data, opencv(data)[..., [0, 3]])
        for channels, color, name in ((3, 2, "rgb"), (4, 6, "rgba")):
            data = png(picture(h, w, channels), 8, color, interlaced)
            case(f"{name}_8{tail}.png", data, pillow(data))
            data = png(picture(h, w, channels, 16), 16, color, interlaced)
            case(f"{name}_16{tail}.png", data, opencv(data))
        for depth in (1, 2, 4, 8):
            entries = min(1 << depth, 200)
            palette = (b"PLTE", rng.integers(0, 256, (entries, 3), dtype=np.uint8).tobytes())
            alpha = (b"tRNS", rng.integers(0, 256, entries * 2 // 3, dtype=np.uint8).tobytes())
            indices = rng.integers(0, entries, (h, w, 1))
            data = png(indices, depth, 3, interlaced, [palette])
            case(f"palette_{depth}{tail}.png", data, pillow(data, "RGB"))
            data = png(indices, depth, 3, interlaced, [palette, alpha])
            case(f"palette_{depth}_alpha{tail}.png", data, pillow(data, "RGBA"))

    # A transparent colour. Pillow has no 16-bit grey with alpha, OpenCV no grey with alpha: there
    # the PNG specification itself says what is expected.
    grey = picture(17, 23, 1)
    data = png(grey, 8, 0, extra=[(b"tRNS", struct.pack(">H", grey[5, 5, 0]))])
    case("grey_8_transparent.png", data, pillow(data, "LA"))
    grey = rng.integers(0, 4, (17, 23, 1))
    data = png(grey, 2, 0, extra=[(b"tRNS", struct.pack(">H", 2))])
    case("grey_2_transparent.png", data, np.concatenate([grey * 85, (grey != 2) * 255], -1).astype(np.uint8))
    grey = picture(17, 23, 1, 16)
    data = png(grey, 16, 0, extra=[(b"tRNS", struct.pack(">H", grey[5, 5, 0]))])
    alpha = (grey != grey[5, 5]) * 65535
    case("grey_16_transparent.png", data, np.concatenate([grey, alpha], -1).astype(np.uint16))
    rgb = picture(17, 23, 3)
    data = png(rgb, 8, 2, extra=[(b"tRNS", struct.pack(">HHH", *rgb[5, 5]))])
    case("rgb_8_transparent.png", data, pillow(data, "RGBA"))
    rgb = picture(17, 23, 3, 16)
    data = png(rgb, 16, 2, extra=[(b"tRNS", struct.pack(">HHH", *rgb[5, 5]))])
    case("rgb_16_transparent.png", data, opencv(data))
    for h, w in ((1, 1), (3, 2), (1, 9), (9, 1)):
        data = png(picture(h, w, 3), 8, 2, True)
        case(f"rgb_8_{w}x{h}_interlaced.png", data, pillow(data))

    # Pillow's own writer, with filters, an ICC profile and an EXIF block.
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.fromarray(picture(17, 23, 3))
    out = io.BytesIO()
    profile = srgb_profile()
    image.save(out, "PNG", icc_profile=profile, exif=exif)
    case("metadata.png", out.getvalue(), pillow(out.getvalue()))
    turned = ImageOps.exif_transpose(Image.open(io.BytesIO(out.getvalue())))
    case("metadata.png", out.getvalue(), turned, "upright")
    (EXPECTED / "metadata.icc").write_bytes(profile)


def jpeg(image, **options):
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


def make_jpeg():
    rgb = Image.fromarray(picture(45, 53, 3))
    kinds = {
        "444": dict(subsampling=0, quality=90),
        "422": dict(subsampling=1, quality=85),
        "420": dict(subsampling=2, quality=75),
        "420_low": dict(subsampling=2, quality=20),
        "420_full": dict(subsampling=2, quality=100),
        "progressive": dict(progressive=True, quality=80),
        "progressive_444": dict(progressive=True, subsampling=0, quality=95),
        "optimized": dict(optimize=True, quality=75),
        "restart": dict(restart_marker_blocks=2, quality=75),
        "rgb": dict(keep_rgb=True, quality=90),
    }
    for name, options in kinds.items():
        data = jpeg(rgb, **options)
        case(f"{name}.jpg", data, pillow(data))
    for factor, name in ((cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440, "440"), (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411, "411")):
        encoded = cv2.imencode(".jpg", np.asarray(rgb)[..., ::-1], [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor])[1]
        case(f"{name}.jpg", encoded.tobytes(), pillow(encoded.tobytes()))
    grey = Image.fromarray(picture(45, 53, 1)[..., 0])
    for name, options in (("grey", {}), ("grey_progressive", dict(progressive=True))):
        data = jpeg(grey, **options)
        case(f"{name}.jpg", data, pillow(data))
    data = jpeg(Image.fromarray(picture(21, 30, 4), "CMYK"), quality=90)
    case("cmyk.jpg", data, pillow(data, "RGB"))
    # The same data called YCCK: Adobe's colour transform byte set to 2.
    at = data.index(b"Adobe") + 11
    data = data[:at] + b"\2" + data[at + 1 :]
    case("ycck.jpg", data, pillow(data, "RGB"))
    # And without the Adobe segment.
    start = data.index(b"\xff\xee")
    data = data[:start] + data[start + 16 :]
    case("cmyk_unmarked.jpg", data, pillow(data, "RGB"))
    # What OpenCV writes by default, and of which picture.
    source = picture(45, 53, 3)
    write_pam(EXPECTED / "opencv_source.pam", source)
    data = cv2.imencode(".jpg", source[..., ::-1])[1].tobytes()
    case("opencv.jpg", data, pillow(data))
    for h, w in ((1, 1), (8, 8), (7, 17), (16, 1)):
        data = jpeg(Image.fromarray(picture(h, w, 3)))
        case(f"{w}x{h}.jpg", data, pillow(data))

    for orientation in range(1, 9):
        exif = Image.Exif()
        exif.endian = "<" if orientation % 2 else ">"
        exif[0x010E] = "a description"
        exif[0x0112] = orientation
        data = jpeg(Image.fromarray(picture(13, 21, 3)), exif=exif, subsampling=0)
        turned = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
        case(f"orientation_{orientation}.jpg", data, turned, "upright")
    data = jpeg(Image.fromarray(picture(13, 21, 3)), icc_profile=srgb_profile(), exif=exif)
    case("metadata.jpg", data, pillow(data))


# BMP: headers that Pillow reads but does not write.


def bmp(width, height, bits, rows, compression=0, palette=b"", masks=b"", header=40, colors=0):
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", header, width, height, 1, bits, compression, len(rows), 0, 0, colors, 0)
        info = (info + (masks if header > 40 else b"")).ljust(header, b"\0")
        info += masks if header == 40 else b""
    at = 14 + len(info) + len(palette)
    return b"BM" + struct.pack("<IHHI", at + len(rows), 0, 0, at) + info + palette + rows


def padded(rows):
    return b"".join(row + b"\0" * (-len(row) % 4) for row in rows)


def make_bmp():
    rng = np.random.default_rng(2)
    for mode, image in (
        ("1", Image.fromarray(picture(11, 19, 1)[..., 0]).convert("1")),
        ("L", Image.fromarray(picture(11, 19, 1)[..., 0])),
        ("P", Image.fromarray(picture(11, 19, 3)).quantize(50)),
        ("RGB", Image.fromarray(picture(11, 19, 3))),
        ("RGBA", Image.fromarray(picture(11, 19, 4))),
    ):
        out = io.BytesIO()
        image.save(out, "BMP")
        data = out.getvalue()
        case(f"pillow_{mode}.bmp", data, pillow(data, "L" if mode in "1L" else "RGB"))

    words = rng.integers(0, 65536, (11, 19), dtype=np.uint16)
    rows = padded([r.tobytes() for r in words.astype("<u2")])
    data = bmp(19, 11, 16, rows)
    case("rgb_555.bmp", data, pillow(data))
    data = bmp(19, 11, 16, rows, 3, masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F))
    case("rgb_565.bmp", data, pillow(data))
    longs = rng.integers(0, 1 << 32, (11, 19), dtype=np.uint32).astype("<u4")
    rows = padded([r.tobytes() for r in longs])
    data = bmp(19, 11, 32, rows)
    case("rgbx.bmp", data, pillow(data))
    data = bmp(19, -11, 32, rows, 3, masks=struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000), header=108)
    case("rgba_top_down.bmp", data, pillow(data))
    data = bmp(19, 11, 32, rows, 3, masks=struct.pack("<IIII", 0xFF000000, 0xFF0000, 0xFF00, 0xFF), header=56)
    case("abgr.bmp", data, pillow(data))

    colors = [bytes(c) for c in rng.integers(0, 256, (16, 3), dtype=np.uint8)]
    nibbles = rng.integers(0, 16, (11, 19), dtype=np.uint8)
    rows = padded([bytes(a << 4 | b for a, b in zip(r[::2], list(r[1::2]) + [0])) for r in nibbles])
    data = bmp(19, 11, 4, rows, palette=b"".join(c + b"\0" for c in colors))
    case("palette_4.bmp", data, pillow(data, "RGB"))
    data = bmp(19, 11, 4, rows, palette=b"".join(colors), header=12)
    case("palette_4_os2.bmp", data, pillow(data, "RGB"))

    # Runs, single values, a skip, row ends and the end of the picture.
    palette = b"".join(c + b"\0" for c in colors)
    runs = b"\5\1\3\2\0\0" b"\0\5\1\2\3\4\5\0\2\7\0\0" b"\0\2\3\2\4\6\0\0" b"\10\3\0\1"
    data = bmp(8, 6, 8, runs, 1, palette=palette, colors=16)
    case("rle_8.bmp", data, pillow(data, "RGB"))
    runs = b"\5\x12\3\x34\0\0" b"\0\5\x12\x34\x50\0\3\x77\0\0" b"\0\2\3\1\4\x67\0\0" b"\10\x9a\0\1"
    data = bmp(8, 5, 4, runs, 2, palette=palette, colors=16)
    case("rle_4.bmp", data, pillow(data, "RGB"))


# Resizing. Inputs come from the same generator in the tests.


def noise(count, pattern):
    """The upper 16 bits of s = 1664525 s + 1013904223 mod 2^32, from s = 1; of pattern `extremes`
    only whether they are above the middle."""
    values = np.empty(count, np.uint32)
    s = 1
    for i in range(count):
        s = (s * 1664525 + 1013904223) & 0xFFFFFFFF
        values[i] = s >> 16
    return (values > 32767) * np.uint32(65535) if pattern == "extremes" else values


def resize_cases(rng, count, fixed):
    sides = [1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 33, 64, 100, 113]
    for size in fixed:
        yield size
    for _ in range(count):
        yield tuple(int(v) for v in rng.choice(sides, 4))


def make_pillow_resize():
    rng = np.random.default_rng(3)
    filters = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "lanczos": Image.LANCZOS}
    modes = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
    # The usual ones; one axis only; the vertical pass first.
    fixed = [(112, 112, 224, 224), (200, 150, 112, 112), (64, 48, 64, 20), (64, 48, 20, 48), (20, 90, 30, 7)]
    lines = []
    for w, h, out_w, out_h in resize_cases(rng, 60, fixed):
        channels, pattern = int(rng.integers(1, 5)), str(rng.choice(["noise", "extremes"]))
        pixels = (noise(w * h * channels, pattern) >> 8).astype(np.uint8).reshape(h, w, channels)
        image = Image.frombytes(modes[channels], (w, h), pixels.tobytes())
        for name, f in filters.items():
            crc = zlib.crc32(image.resize((out_w, out_h), f).tobytes())
            lines.append(f"{w},{h},{channels},{pattern},{name},{out_w},{out_h},{crc}")
    (HERE / "resize_pillow.csv").write_text("\n".join(lines) + "\n")


def make_opencv_resize():
    rng = np.random.default_rng(4)
    filters = {"linear": cv2.INTER_LINEAR, "lanczos4": cv2.INTER_LANCZOS4}
    fixed = [(112, 112, 224, 224), (112, 96, 56, 48), (64, 64, 128, 96), (100, 80, 25, 20), (90, 31, 100, 31)]
    lines = []
    for w, h, out_w, out_h in resize_cases(rng, 60, fixed):
        channels, pattern = int(rng.choice([1, 3, 4])), str(rng.choice(["noise", "extremes"]))
        values = noise(w * h * channels, pattern).reshape(h, w, channels)
        for kind, pixels in (
            ("u8", (values >> 8).astype(np.uint8)),
            ("u16", values.astype(np.uint16)),
            ("f32", (values / 65536).astype(np.float32)),
        ):
            for name, f in filters.items():
                halved = (w, h) == (2 * out_w, 2 * out_h)
                if kind == "f32" and (name == "lanczos4" or halved):
                    continue  # depends on OpenCV's vector width
                out = cv2.resize(pixels, (out_w, out_h), interpolation=f)
                lines.append(f"{w},{h},{channels},{pattern},{kind},{name},{out_w},{out_h},{zlib.crc32(out.tobytes())}")
    (HERE / "resize_opencv.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    print("Pillow", PIL.__version__, "OpenCV", cv2.__version__, "NumPy", np.__version__)
    for folder in (FILES, EXPECTED):
        folder.mkdir(exist_ok=True)
    make_png()
    make_jpeg()
    make_bmp()
    (HERE / "decode.csv").write_text("\n".join(cases) + "\n")
    make_pillow_resize()
    make_opencv_resize()
