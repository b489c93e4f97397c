#!/usr/bin/env python3
"""Writes the golden cases of ImageFolder: what torchvision finds in a tree of files, and the pixels
that Pillow's convert("RGB") makes of the images of tests/golden/images.

image_folder.csv      file of the tree, its place among the samples (-1: none), its class (-1: none)
image_folder_rgb.csv  image, width, height, CRC-32 of its pixels as RGB

Grey of 16 bits is left out of the second: Pillow clips it at 255 (see image_convert.hpp).

Made with torchvision 0.29.2, Pillow 13.0.0.
"""

import pathlib
import tempfile
import warnings
import zlib

from PIL import Image
from torchvision.datasets import ImageFolder

HERE = pathlib.Path(__file__).parent
IMAGES = HERE.parent / "images" / "files"
TREE = """happy/b.jpg happy/a.jpg happy/B.JPG happy/10.png happy/9.png happy/notes.txt happy/.jpg
happy/x/1.jpeg happy/x/0.Bmp happy/x-y/2.jpg happy/x/deep/3.webp happy/z.jpg/inside.tiff
Happy/a.jpg anger/a.jpg.txt anger/jpg anger/c.ppm anger/c.pgm anger/c.tif anger/é.jpg anger/z.jpg
_odd/0.png above.jpg""".split()


def image_folder_rows():
    with tempfile.TemporaryDirectory() as root:
        for name in TREE:
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")
        samples = ImageFolder(root).samples
        found = {pathlib.Path(path).relative_to(root).as_posix(): (place, label)
                 for place, (path, label) in enumerate(samples)}
    for name in TREE:
        yield name, *found.get(name, (-1, -1))


def rgb_rows():
    for path in sorted(IMAGES.iterdir()):
        with Image.open(path) as image:
            if not image.mode.startswith("I"):
                yield path.name, *image.size, zlib.crc32(image.convert("RGB").tobytes())


def write(name, rows):
    (HERE / name).write_text("".join(",".join(map(str, row)) + "\n" for row in rows))


warnings.simplefilter("ignore")  # of palettes with alpha, whose alpha is to be dropped
write("image_folder.csv", image_folder_rows())
write("image_folder_rgb.csv", rgb_rows())
