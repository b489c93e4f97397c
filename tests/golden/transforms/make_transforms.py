#!/usr/bin/env python3
"""Checksums of what Pillow and torchvision make of noise and of every colour there is: writes the
tables beside this file.

    python3 tests/golden/transforms/make_transforms.py

all_colors.csv  operation, factor, CRC-32 of what becomes of all 2^24 (red, green, blue)
adjust.csv      operation, width, height, channels, factor, CRC-32
jitter.csv      width, height, channels, four operations in order, their factors, CRC-32
geometry.csv    operation, width, height, channels, size asked for, width and height of the result,
                CRC-32
tensor.csv      width, height, channels, normalised (1: by ImageNet's mean and deviation, 0: not),
                CRC-32 of float32 (h, w, c)
chain.csv       as jitter.csv, of ColorJitter, Resize((24, 40)), flip, ToTensor, Normalize

Made with torchvision 0.29.2, torch 2.15.0, Pillow 13.0.0, NumPy 2.4.6. Pillow 9.5.0, 10.4.0, 11.3.0
and 12.0.0 make the same HSV, and the same RGB of it, of every colour.
"""

import pathlib
import zlib

import numpy as np
import torch
import torchvision.transforms.functional as F
from PIL import Image
from torchvision import transforms

HERE = pathlib.Path(__file__).parent
ADJUST = [F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue]
NAMES = ["brightness", "contrast", "saturation", "hue"]
SIZES = [(1, 1), (5, 1), (7, 3), (16, 2), (33, 17), (301, 250)]
IMAGENET = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def noise(width, height, channels):
    """The upper bytes of s = 1664525 s + 1013904223 mod 2^32, from s = 1."""
    state, samples = 1, []
    for _ in range(width * height * channels):
        state = (state * 1664525 + 1013904223) % 2**32
        samples.append(state >> 24)
    pixels = np.array(samples, np.uint8).reshape(height, width, channels)
    return Image.fromarray(pixels[..., 0] if channels == 1 else pixels)


def crc(image):
    return zlib.crc32(np.asarray(image).tobytes())


def write(name, rows):
    lines = [",".join(str(field) for field in row) for row in rows]
    (HERE / name).write_text("\n".join(lines) + "\n")


def all_colors():
    index = np.arange(1 << 24, dtype=np.uint32)
    pixels = np.stack([index >> 16, index >> 8 & 255, index & 255], -1).astype(np.uint8)
    colors = Image.fromarray(pixels.reshape(4096, 4096, 3))
    yield "rgb_to_hsv", 0, crc(colors.convert("HSV"))
    planes = [colors.getchannel(c) for c in "RGB"]
    yield "hsv_to_rgb", 0, crc(Image.merge("HSV", planes).convert("RGB"))
    for factor in 0.6, 0.5000000596046448:  # with which a fused multiply-add would show
        yield "saturation", factor, crc(F.adjust_saturation(colors, factor))
    yield "hue", 0.1, crc(F.adjust_hue(colors, 0.1))


def adjust():
    shades = [0.0, 1.0, 0.5, 0.6, 1.3, 1.7, 2.5, -0.5, 1e-3, 1e30]
    shades += torch.rand(8).mul(2).tolist()
    hues = [-0.5, -0.1, 0.0, 0.002, 0.05, 0.2, 0.37, 0.5]
    for size in SIZES:
        for channels in 1, 3:
            image = noise(*size, channels)
            for name, function in zip(NAMES, ADJUST):
                for factor in hues if name == "hue" else shades:
                    yield name, *size, channels, factor, crc(function(image, factor))


def drawn_jitter():
    jitter = transforms.ColorJitter(0.3, 0.3, 0.3, 0.1)
    order, *factors = jitter.get_params(jitter.brightness, jitter.contrast, jitter.saturation,
                                        jitter.hue)
    return order.tolist(), factors


def apply_jitter(image, order, factors):
    for i in order:
        image = ADJUST[i](image, factors[i])
    return image


def jitter():
    for i in range(60):
        size, channels = SIZES[i % len(SIZES)], 1 if i % 5 == 4 else 3
        order, factors = drawn_jitter()
        image = apply_jitter(noise(*size, channels), order, factors)
        yield *size, channels, *(NAMES[i] for i in order), *(factors[i] for i in order), crc(image)


def geometry():
    for size in SIZES:
        for channels in 1, 3:
            image = noise(*size, channels)
            yield "flip", *size, channels, 0, *size, crc(F.hflip(image))
    for size in (33, 17), (17, 33), (301, 250), (64, 64), (100, 37):
        image = noise(*size, 3)
        for side in 1, 17, 32, 64:
            result = transforms.Resize(side)(image)
            yield "shorter_side", *size, 3, side, *result.size, crc(result)
            result = transforms.Resize((side, 48))(image)
            yield "resize", *size, 3, side, *result.size, crc(result)


def tensor():
    for size in SIZES:
        for channels in 1, 3:
            x = transforms.ToTensor()(noise(*size, channels))
            yield *size, channels, 0, crc(x.permute(1, 2, 0).contiguous())
            if channels == 3:
                x = transforms.Normalize(*IMAGENET)(x)
                yield *size, channels, 1, crc(x.permute(1, 2, 0).contiguous())


def chain():
    after = transforms.Compose([transforms.Resize((24, 40)), transforms.RandomHorizontalFlip(1),
                                transforms.ToTensor(), transforms.Normalize(*IMAGENET)])
    for size in (33, 17), (301, 250):
        order, factors = drawn_jitter()
        x = after(apply_jitter(noise(*size, 3), order, factors))
        yield (*size, 3, *(NAMES[i] for i in order), *(factors[i] for i in order),
               crc(x.permute(1, 2, 0).contiguous()))


def main():
    torch.manual_seed(1)
    for table in all_colors, adjust, jitter, geometry, tensor, chain:
        write(f"{table.__name__}.csv", table())


if __name__ == "__main__":
    main()
