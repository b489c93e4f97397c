#!/usr/bin/env python3
"""Makes upscale.safetensors: small images and what Real-ESRGAN's arithmetic makes of them.

usage: make_upscale.py         (needs torch, opencv-python, numpy, safetensors)

Follows RealESRGANer (github.com/xinntao/Real-ESRGAN, realesrgan/utils.py) step by step, around a
network of a few lines that tests/infer/upscaler_test.cpp has too. Every case is three tensors:
NAME.input and NAME.output (height, width, channels: grey, RGB or RGBA; 16 bits as int32), and
NAME.options (network's scale, tile, tile_pad, pre_pad, 100 * outscale, alpha by bicubic).
"""

from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

MIX = torch.tensor([[0.8, 0.1, 0.1], [0.0, 0.9, 0.1], [0.2, 0.1, 0.7]],
                   dtype=torch.float64)  # [out, in]
BLUR = torch.tensor([0.25, 0.5, 0.25], dtype=torch.float64)


def network(x, scale):
    """Mixes channels, blurs, adds the mean of every 2 x 2 block for scale 2 (of 4 x 4 for 1),
    stretches beyond [0, 1], and enlarges by repetition."""
    x = x.double()
    weight = MIX[:, :, None, None] * (BLUR[:, None] * BLUR)
    y = F.conv2d(x, weight, padding=1)
    block = {1: 4, 2: 2}.get(scale, 1)
    if block > 1:
        assert x.shape[2] % block == 0 and x.shape[3] % block == 0
        y = y + 0.25 * F.avg_pool2d(x, block).repeat_interleave(block, 2).repeat_interleave(block, 3)
    y = 1.5 * y - 0.25
    return y.repeat_interleave(scale, 2).repeat_interleave(scale, 3).float()


def tiled(x, scale, tile, pad):
    _, _, height, width = x.shape
    out = torch.zeros(1, 3, height * scale, width * scale)
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            bottom, right = min(top + tile, height), min(left + tile, width)
            y0, x0 = max(top - pad, 0), max(left - pad, 0)
            y1, x1 = min(bottom + pad, height), min(right + pad, width)
            part = network(x[:, :, y0:y1, x0:x1], scale)
            out[:, :, top * scale:bottom * scale, left * scale:right * scale] = part[
                :, :, (top - y0) * scale:(bottom - y0) * scale, (left - x0) * scale:(right - x0) * scale]
    return out


def enlarge(rgb, scale, tile, pad, pre_pad):
    """(h, w, 3) floats in, BGR floats in [0, 1] out."""
    x = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)))[None]
    if pre_pad:
        x = F.pad(x, (0, pre_pad, 0, pre_pad), "reflect")
    multiple = {1: 4, 2: 2}.get(scale, 1)
    mod_h, mod_w = -x.shape[2] % multiple, -x.shape[3] % multiple
    if mod_h or mod_w:
        x = F.pad(x, (0, mod_w, 0, mod_h), "reflect")
    y = tiled(x, scale, tile, pad) if tile else network(x, scale)
    y = y[:, :, :y.shape[2] - mod_h * scale, :y.shape[3] - mod_w * scale]
    y = y[:, :, :y.shape[2] - pre_pad * scale, :y.shape[3] - pre_pad * scale]
    y = y[0].clamp(0, 1).numpy()
    return np.transpose(y[[2, 1, 0]], (1, 2, 0))


def enhance(image, scale, tile, pad, pre_pad, outscale, bicubic):
    height, width = image.shape[:2]
    top = 65535 if image.dtype == np.uint16 else 255
    image_type = image.dtype
    x = image.astype(np.float32) / top
    grey, alpha = x.shape[2] == 1, x.shape[2] == 4
    colour = np.repeat(x, 3, axis=2) if grey else x[:, :, :3]
    y = enlarge(colour, scale, tile, pad, pre_pad)
    if grey:
        y = cv2.cvtColor(y, cv2.COLOR_BGR2GRAY)
    if alpha and bicubic:  # not so in the original: its "bicubic" is INTER_LINEAR and never used
        a = cv2.resize(image[:, :, 3], None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        y = np.dstack([y, a.astype(np.float32) / top])
    elif alpha:
        a = enlarge(np.repeat(x[:, :, 3:], 3, axis=2), scale, tile, pad, pre_pad)
        y = np.dstack([y, cv2.cvtColor(a, cv2.COLOR_BGR2GRAY)])
    y = (y * top).round().astype(image_type)
    if outscale != scale:
        y = cv2.resize(y, (int(width * outscale), int(height * outscale)),
                       interpolation=cv2.INTER_LANCZOS4)
    if y.ndim == 2:
        return y[:, :, None]
    return y[:, :, [2, 1, 0, 3][:y.shape[2]]]


#        name               h   w  channels bits  scale tile pad pre_pad outscale
CASES = [
    ("rgb8",                9, 13, 3,  8,          4,   0,  10, 0, 4),
    ("rgb16",               9, 13, 3, 16,          4,   0,  10, 0, 4),
    ("grey8",               9, 13, 1,  8,          4,   0,  10, 0, 4),
    ("grey16",              5,  7, 1, 16,          4,   0,  10, 0, 4),
    ("rgba8",               9, 13, 4,  8,          4,   0,  10, 0, 4),
    ("rgba16",              5,  7, 4, 16,          4,   0,  10, 0, 4),
    ("rgb8_half",          10, 14, 3,  8,          4,   0,  10, 0, 2),
    ("rgba16_larger",       5,  7, 4, 16,          4,   0,  10, 0, 5.5),
    ("grey8_odd_size",      9, 13, 1,  8,          4,   0,  10, 0, 2.5),
    ("rgb8_tiles",          9, 13, 3,  8,          4,   4,   1, 0, 4),
    ("rgb8_tiles_seams",    9, 13, 3,  8,          4,   5,   0, 0, 4),
    ("rgba8_tiles_pre_pad", 9, 13, 4,  8,          4,   4,   2, 3, 4),
    ("rgb8_x2",             9, 13, 3,  8,          2,   0,  10, 0, 2),
    ("rgb8_x2_tiles",       9, 13, 3,  8,          2,   4,   2, 0, 2),
    ("grey8_x2_pre_pad",    8, 11, 1,  8,          2,   0,  10, 2, 2),
    ("rgb8_x1",             9, 13, 3,  8,          1,   0,  10, 0, 1),
    ("rgb8_x1_tiles",       9, 13, 3,  8,          1,   4,   4, 1, 1),
    ("rgba8_bicubic",       9, 13, 4,  8,          4,   0,  10, 0, 4),
    ("rgba16_bicubic_x2",   8,  6, 4, 16,          2,   4,   2, 0, 2),
]


def main():
    random = np.random.default_rng(7)
    tensors = {}
    for name, height, width, channels, bits, scale, tile, pad, pre_pad, outscale in CASES:
        image_type = np.uint16 if bits == 16 else np.uint8
        image = random.integers(0, 1 << bits, (height, width, channels)).astype(image_type)
        bicubic = "bicubic" in name
        output = enhance(image, scale, tile, pad, pre_pad, outscale, bicubic)
        stored = np.int32 if bits == 16 else np.uint8
        tensors[name + ".input"] = image.astype(stored)
        tensors[name + ".output"] = np.ascontiguousarray(output.astype(stored))
        tensors[name + ".options"] = np.array(
            [scale, tile, pad, pre_pad, round(100 * outscale), bicubic], np.int32)
    versions = f"torch {torch.__version__}, opencv {cv2.__version__}, numpy {np.__version__}"
    save_file(tensors, Path(__file__).with_name("upscale.safetensors"), {"made by": versions})


if __name__ == "__main__":
    main()
