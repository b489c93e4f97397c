#!/usr/bin/env python3
"""Times mien's image transforms beside torchvision's, on one thread, in one interleaved run.

    python3 bench/peers/transforms.py --bench build/release/bench/mien_data_bench \
        --out bench/results/transforms_threads1.json

Every row of the benchmark program is run in turn with the same work in torchvision; its result must
have the same CRC-32 before any time counts. The row `chain` goes from the bytes of a JPEG file of
500 x 375 to a normalised tensor. Needs torchvision and NumPy (not needed to build or test mien).
"""

import argparse
import io
import os
import sys
import tempfile
import zlib

import numpy
import PIL
import torch
import torchvision
import torchvision.transforms.functional as F
from PIL import Image
from torchvision import transforms

import interleaved

TO_TENSOR = transforms.Compose([transforms.ToTensor(), transforms.Normalize(
    [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])


def chain(file):
    image = Image.open(io.BytesIO(file)).convert("RGB")
    image = F.adjust_hue(image, 0.0625)
    image = F.adjust_contrast(image, 0.75)
    image = F.adjust_saturation(image, 1.125)
    image = F.adjust_brightness(image, 1.25)
    return TO_TENSOR(F.hflip(F.resize(image, [224, 224])))


def crc(result):
    """Of an image, or of a tensor in mien's layout (h, w, c)."""
    if isinstance(result, torch.Tensor):
        result = result.permute(1, 2, 0).contiguous()
    return zlib.crc32(numpy.asarray(result).tobytes())


def photograph():
    """A JPEG file: waves and some noise."""
    random = numpy.random.default_rng(0)
    y, x = numpy.mgrid[0:375, 0:500][..., None]
    waves = 128 + 60 * numpy.sin(x / [20, 30, 40]) + 40 * numpy.cos(y / 17)
    pixels = numpy.clip(waves + random.normal(0, 8, (375, 500, 3)), 0, 255).astype(numpy.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90)
    return file.getvalue()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    interleaved.add_arguments(parser)
    args = parser.parse_args()

    torch.set_num_threads(1)
    file = photograph()
    large, small = ([Image.fromarray(interleaved.noise(*size, i + 1))
                     for i in range(interleaved.INPUTS)] for size in ((500, 375), (224, 224)))
    rows = [interleaved.Row(name, inputs, work, crc(work(inputs[0]))) for name, inputs, work in [
        ("adjust/brightness", large, lambda image: F.adjust_brightness(image, 1.25)),
        ("adjust/contrast", large, lambda image: F.adjust_contrast(image, 0.75)),
        ("adjust/saturation", large, lambda image: F.adjust_saturation(image, 1.125)),
        ("adjust/hue", large, lambda image: F.adjust_hue(image, 0.0625)),
        ("flip", small, F.hflip),
        ("to_tensor", small[:1], TO_TENSOR),
        ("chain", [file], chain),
    ]]
    with tempfile.NamedTemporaryFile(suffix=".jpg") as jpeg:
        jpeg.write(file)
        jpeg.flush()
        os.environ["MIEN_BENCH_JPEG"] = jpeg.name
        interleaved.compare(rows, args, dict(torchvision=torchvision.__version__,
                                             torch=torch.__version__, Pillow=PIL.__version__))
    return 0


if __name__ == "__main__":
    sys.exit(main())
