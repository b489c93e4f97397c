#!/usr/bin/env python3
"""Times mien's resizing beside Pillow's and OpenCV's, on one thread, in one interleaved run.

    python3 bench/peers/resize_pillow.py --bench build/release/bench/mien_data_bench \
        --out bench/results/resize.json

Every row of the benchmark program is run in turn with the same work in the peer; its result must
have the same CRC-32 before any time counts. Needs Pillow, OpenCV and NumPy (not needed to build or
test mien).
"""

import argparse
import re
import subprocess
import sys
import zlib

import cv2
import numpy
import PIL
from PIL import Image

import interleaved

FILTERS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "lanczos": Image.LANCZOS}


def row_of(name):
    """A row of the benchmark program and the same work in its peer."""
    kind, filter_name, *sizes = re.match(
        r"(\w+)/(\w+)/w:(\d+)/h:(\d+)/to_w:(\d+)/to_h:(\d+)", name).groups()
    width, height, *target = map(int, sizes)
    inputs = [interleaved.noise(width, height, i + 1) for i in range(interleaved.INPUTS)]
    if kind == "resize_pillow":
        inputs = [Image.fromarray(a) for a in inputs]
        resize = lambda image: image.resize(target, FILTERS[filter_name])
    else:
        resize = lambda a: cv2.resize(a, target, interpolation=cv2.INTER_LANCZOS4)
    crc = zlib.crc32(numpy.asarray(resize(inputs[0])).tobytes())
    return interleaved.Row(name, inputs, resize, crc)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    interleaved.add_arguments(parser)
    args = parser.parse_args()

    cv2.setNumThreads(1)
    listed = subprocess.run([args.bench, "--benchmark_list_tests"], capture_output=True, text=True,
                            check=True).stdout.split()
    rows = [row_of(name) for name in listed if name.startswith("resize_")]
    interleaved.compare(rows, args, dict(Pillow=PIL.__version__, OpenCV=cv2.__version__))
    return 0


if __name__ == "__main__":
    sys.exit(main())
