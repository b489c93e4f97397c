#!/usr/bin/env python3
"""Measures what mien costs a compiler: parse time of headers, compile time of the quickstart.

usage: measure.py [--compiler CXX] [--runs N] [--json FILE] [--check]

Each figure is the median of N runs (5) of processor time, user and system, of one compiler process:
on a shared machine that is steadier than the time on the clock, which is printed beside it. With
--check the exit status is 1 if a limit is passed.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INCLUDES = [f"-I{ROOT / folder}" for folder in ("include", "kernels", "weights_tools/include")]

# What is measured, and its limit in seconds.
UMBRELLA = ("mien/mien.hpp", 1.5)
LEAF_HEADERS = ("core/tensor", "core/parallel", "autograd/engine", "cpu/gemm", "ops/add",
                "ops/conv2d", "nn/module", "io/safetensors")
LEAF_LIMIT = 0.5
QUICKSTART = ("examples/quickstart/main.cpp", 5.0)


def run_once(command, source):
    """Processor seconds and wall seconds of one compilation."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=ROOT)
    process.stdin.write(source.encode())
    process.stdin.close()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if status != 0:
        sys.exit(f"failed: {' '.join(command)}")
    return usage.ru_utime + usage.ru_stime, wall


def measure(name, limit, command, source, runs):
    times = [run_once(command, source) for _ in range(runs)]
    cpu, wall = (statistics.median(column) for column in zip(*times))
    return {"name": name, "seconds": round(cpu, 3), "wall": round(wall, 3), "limit": limit,
            "min": round(min(t[0] for t in times), 3), "max": round(max(t[0] for t in times), 3)}


def measurements(compiler, runs):
    base = [compiler, "-std=c++20", *INCLUDES]
    parse = base + ["-fsyntax-only", "-x", "c++", "-"]
    for name, limit in [UMBRELLA] + [(f"mien/{leaf}.hpp", LEAF_LIMIT) for leaf in LEAF_HEADERS]:
        yield measure(f"parse <{name}>", limit, parse, f"#include <{name}>\n", runs)
    source, limit = QUICKSTART
    for how, flags in (("headers alone", []), ("mien::compiled", ["-DMIEN_COMPILED"])):
        yield measure(f"compile {source} -O2, {how}", limit,
                      base + flags + ["-O2", "-c", source, "-o", os.devnull], "", runs)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--compiler", default=os.environ.get("CXX", "g++"))
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--json", default=ROOT / "bench/results/compile_time.json", type=Path)
    arguments.add_argument("--check", action="store_true")
    options = arguments.parse_args()

    version = subprocess.run([options.compiler, "--version"], capture_output=True, text=True,
                             check=True).stdout.splitlines()[0]
    print(f"{version}, median of {options.runs}\n{'':60}{'cpu s':>8}{'wall s':>8}{'limit':>8}")
    rows = []
    for row in measurements(options.compiler, options.runs):
        rows.append(row)
        mark = "  OVER" if row["seconds"] > row["limit"] else ""
        print(f"{row['name']:60}{row['seconds']:8.2f}{row['wall']:8.2f}{row['limit']:8.1f}{mark}",
              flush=True)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(
        {"compiler": version, "machine": platform.machine(), "runs": options.runs,
         "date": datetime.date.today().isoformat(), "rows": rows}, indent=2) + "\n")
    if options.check and any(row["seconds"] > row["limit"] for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
