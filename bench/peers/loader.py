#!/usr/bin/env python3
"""Times mien's loader beside PyTorch's with torchvision's transforms of PIL images, interleaved.

    python3 bench/peers/loader.py --workers 2 --server build/release/bench/mien_loader_server \
        --out bench/results/loader_workers2.json

From JPEG files of 500x375 to normalised batches of 224x224: decode, ColorJitter, Resize, flip,
ToTensor, Normalize. Batches without the random transforms must be equal, bit for bit, before anything
is timed. PyTorch's workers live through all epochs; mien's threads are started in each. Needs torch,
torchvision and NumPy (not needed to build or test mien).
"""

import argparse
import os
import statistics
import tempfile
import time
import zlib

import numpy
import PIL
import torch
import torchvision
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from measuring import interleaved, ratio, spread, write_report
from server import Server

RESIZE = transforms.Resize((224, 224))
TO_TENSOR = [transforms.ToTensor(),
             transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]
AUGMENT = [transforms.ColorJitter(0.3, 0.3, 0.3, 0.1), RESIZE, transforms.RandomHorizontalFlip()]


class Mien(Server):
    """bench/loader_server.cpp"""

    def plain(self):
        return int(self.ask("plain"))

    def seconds(self, workers):
        return float(self.ask(f"epoch {workers}"))


class Torch:
    def __init__(self, folder, batch, workers):
        self.folder, self.batch = folder, batch
        images = ImageFolder(folder, transforms.Compose(AUGMENT + TO_TENSOR))
        self.loader = DataLoader(images, batch, shuffle=True, num_workers=workers,
                                 prefetch_factor=2, persistent_workers=True)

    def plain(self):
        images = ImageFolder(self.folder, transforms.Compose([RESIZE] + TO_TENSOR))
        batch, _ = next(iter(DataLoader(images, self.batch)))
        return zlib.crc32(batch.permute(0, 2, 3, 1).contiguous().numpy().tobytes())

    def seconds(self, _):
        begin = time.perf_counter()
        for _ in self.loader:
            pass
        return time.perf_counter() - begin


def photograph(random):
    """Noise whose amplitude falls with the frequency, as in photographs: (375, 500, 3), 8 bits."""
    frequency = numpy.hypot(numpy.fft.fftfreq(375)[:, None], numpy.fft.rfftfreq(500)[None])
    frequency[0, 0] = 1

    def plane():
        white = numpy.fft.rfft2(random.normal(size=(375, 500)))
        pink = numpy.fft.irfft2(white / frequency, (375, 500))
        return pink / pink.std()

    grey = plane()
    colour = numpy.stack([grey + 0.3 * plane() for _ in range(3)], axis=-1)
    return numpy.clip(random.uniform(90, 160) + 45 * colour, 0, 255).astype(numpy.uint8)


def write_photographs(folder, count):
    """Returns the mean size of a file in bytes."""
    random, sizes = numpy.random.default_rng(0), []
    for i in range(count):
        path = os.path.join(folder, f"class_{i % 4}", f"{i:04}.jpg")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.fromarray(photograph(random)).save(path, quality=90)
        sizes.append(os.path.getsize(path))
    return statistics.mean(sizes)


def images_per_second(seconds, images):
    """Median and quartiles."""
    rates = sorted(images / s for s in seconds)
    quarter = len(rates) // 4
    return dict(median=statistics.median(rates), quartile=[rates[quarter], rates[-1 - quarter]])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--pause", type=float, default=0.05, help="seconds between two runs")
    parser.add_argument("--server", default="build/release/bench/mien_loader_server")
    parser.add_argument("--out", help="JSON file to write")
    args = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        file_bytes = write_photographs(folder, args.images)
        engines = {"mien": Mien(args.server, folder, str(args.batch), threads=1),
                   "torchvision": Torch(folder, args.batch, args.workers)}
        if engines["mien"].plain() != engines["torchvision"].plain():
            raise SystemExit("batches differ, nothing timed")
        seconds = interleaved(engines, args.rounds, args.pause, 1, args.workers)

    report = dict(
        work="JPEG 500x375, ColorJitter(0.3, 0.3, 0.3, 0.1), Resize 224x224, flip, ToTensor, Normalize",
        images=args.images, file_bytes=round(file_bytes), batch=args.batch, workers=args.workers,
        rounds=args.rounds, mien=engines["mien"].facts,
        versions=dict(torch=torch.__version__, torchvision=torchvision.__version__,
                      Pillow=PIL.__version__),
        engines={name: dict(spread(taken), images_per_second=images_per_second(taken, args.images))
                 for name, taken in seconds.items()},
        torchvision_to_mien=ratio(seconds, "torchvision", "mien"))
    write_report(report, args.out)


if __name__ == "__main__":
    main()
