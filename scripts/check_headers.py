#!/usr/bin/env python3
"""Compiles every public header of mien alone, without a warning.

usage: check_headers.py COMPILER [FLAG...]      as many compilations at once as there are processors
"""

import concurrent.futures
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INCLUDE_ROOTS = [ROOT / "include", ROOT / "kernels", ROOT / "weights_tools/include"]
SUFFIXES = (".hpp", ".cuh")
# A C++ compiler reads CUDA headers with the SIMT executor of the tests.
CUDA_FLAGS = ["-DMIEN_SIMT=<simt/simt.hpp>", f"-I{ROOT / 'tests'}"]
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Werror"]


def headers():
    return sorted(path.relative_to(root).as_posix()
                  for root in INCLUDE_ROOTS for path in root.rglob("*") if path.suffix in SUFFIXES)


def compile_alone(compiler, header):
    """What the compiler says; empty where all is well."""
    command = compiler + ["-std=c++20", "-fsyntax-only", *WARNINGS, "-x", "c++", "-"]
    command += [f"-I{root}" for root in INCLUDE_ROOTS]
    if header.startswith("mien/cuda/"):
        command += CUDA_FLAGS
    # Twice: a header must also bear being included again.
    source = f"#include <{header}>\n#include <{header}>\nint main() {{}}\n"
    result = subprocess.run(command, input=source, text=True, capture_output=True)
    return result.stderr if result.returncode != 0 else ""


def main():
    compiler = sys.argv[1:] or ["c++"]
    names = headers()
    if not names:
        sys.exit("no header found")
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        errors = list(pool.map(lambda name: compile_alone(compiler, name), names))
    failed = [(name, error) for name, error in zip(names, errors) if error]
    for name, error in failed:
        print(f"{name} does not compile alone:\n{error}")
    print(f"{compiler[0]}: {len(names) - len(failed)} of {len(names)} headers compile alone")
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
