#!/usr/bin/env python3
"""Times mien's resizing beside Pillow's and OpenCV's, on one thread, in one interleaved run.

    python3 bench/peers/resize_pillow.py --bench build/release/bench/mien_data_bench \
        --out bench/results/resize.json

Every row of the benchmark program is run in turn with the same work in the peer; its result must
have the same CRC-32 before any time counts. Needs Pillow, OpenCV and NumPy (not needed to build or
test mien).
"""

import argparse
import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
import zlib

import cv2
import numpy
import PIL
from PIL import Image

INPUTS = 8  # taken in turn, as the program does
FILTERS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "lanczos": Image.LANCZOS}


def noise(width, height, seed):
    """The upper bytes of s = 1664525 s + 1013904223 mod 2^32, from s = seed."""
    count = width * height * 3
    factors, terms = numpy.empty(count, numpy.uint32), numpy.empty(count, numpy.uint32)
    factors[0], terms[0] = 1664525, 1013904223
    done = 1  # steps of which the combined factor and term are known
    while done < count:
        more = min(done, count - done)
        factor, term = factors[done - 1], terms[done - 1]
        factors[done:done + more] = factors[:more] * factor
        terms[done:done + more] = factors[:more] * term + terms[:more]
        done += more
    samples = (factors * numpy.uint32(seed) + terms) >> 24
    return samples.astype(numpy.uint8).reshape(height, width, 3)


class Row:
    """One row of the benchmark program and the same work in its peer."""

    def __init__(self, name):
        self.name = name
        kind, filter_name, *sizes = re.match(
            r"(\w+)/(\w+)/w:(\d+)/h:(\d+)/to_w:(\d+)/to_h:(\d+)", name).groups()
        width, height, *target = map(int, sizes)
        arrays = [noise(width, height, i + 1) for i in range(INPUTS)]
        if kind == "resize_pillow":
            self.inputs = [Image.fromarray(a) for a in arrays]
            self.resize = lambda image: image.resize(target, FILTERS[filter_name])
        else:
            self.inputs = arrays
            self.resize = lambda a: cv2.resize(a, target, interpolation=cv2.INTER_LANCZOS4)
        self.crc = zlib.crc32(numpy.asarray(self.resize(self.inputs[0])).tobytes())
        self.mien, self.peer = [], []

    def time_peer(self, seconds):
        """Microseconds of one call, over calls of `seconds` together."""
        calls, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < seconds:
            self.resize(self.inputs[calls % INPUTS])
            calls += 1
        return (time.perf_counter() - begin) / calls * 1e6


def run_bench(program, name, seconds):
    command = [program, f"--benchmark_filter=^{name}$", "--benchmark_format=json",
               f"--benchmark_min_time={seconds}"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(result.stdout)["benchmarks"][0]


def spread(times):
    ordered = sorted(times)
    quarter = len(ordered) // 4
    return dict(median_us=statistics.median(ordered), min_us=ordered[0],
                quartile_us=[ordered[quarter], ordered[-1 - quarter]])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", default="build/release/bench/mien_data_bench")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.2, help="of each row in each round")
    parser.add_argument("--out", help="JSON file to write")
    args = parser.parse_args()

    cv2.setNumThreads(1)
    listed = subprocess.run([args.bench, "--benchmark_list_tests"], capture_output=True, text=True,
                            check=True).stdout.split()
    rows = [Row(name) for name in listed if name.startswith("resize_")]
    for round_number in range(args.rounds):
        for row in rows:
            taken = run_bench(args.bench, row.name, args.seconds)
            if taken["label"] != f"crc={row.crc}":
                raise SystemExit(f"{row.name}: results differ, nothing timed")
            row.mien.append(taken["real_time"])
            row.peer.append(row.time_peer(args.seconds))
        print(f"round {round_number + 1} of {args.rounds}", file=sys.stderr)

    report = dict(
        threads=1, rounds=args.rounds, date=datetime.date.today().isoformat(),
        machine=f"{platform.processor() or platform.machine()}, {len(os.sched_getaffinity(0))} processors",
        versions=dict(Pillow=PIL.__version__, OpenCV=cv2.__version__), rows={})
    for row in rows:
        ratio = statistics.median(peer / mien for peer, mien in zip(row.peer, row.mien))
        report["rows"][row.name] = dict(mien=spread(row.mien), peer=spread(row.peer),
                                        peer_to_mien=ratio)
        print(f"{row.name:60s} {statistics.median(row.mien):9.1f} us  peer "
              f"{statistics.median(row.peer):9.1f} us  {ratio:5.2f} x")
    if args.out:
        with open(args.out, "w", encoding="ascii") as file:
            json.dump(report, file, indent=1)
            file.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
