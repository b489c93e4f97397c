#!/usr/bin/env python3
"""Compiles every public header of mien alone, without a warning: those of CUDA with the SIMT
executor of the tests, and declarations of launchers as plain C++ too.

usage: check_headers.py COMPILER [FLAG...]      as many compilations at once as there are processors
"""

import concurrent.futures
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INCLUDE_ROOTS = [ROOT / "include", ROOT / "kernels", ROOT / "weights_tools/include"]
SUFFIXES = (".hpp", ".cuh")
CUDA = "mien/cuda/"
SIMT_FLAGS = ["-DMIEN_SIMT=<simt/simt.hpp>", f"-I{ROOT / 'tests'}"]
# With the headers beside kernels these are what a program includes that links mien::cuda.
PLAIN = ("mien/cuda/macros.hpp", "mien/cuda/stream.hpp")
NEEDS_TOOLKIT = ("mien/cuda/runtime.hpp",)
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Werror"]


def toolkit_include():
    """The folder of cuda_runtime_api.h; None where there is none."""
    nvcc = shutil.which("nvcc")
    places = [os.environ.get("CUDA_HOME"), nvcc and Path(nvcc).resolve().parent.parent,
              "/usr/local/cuda", "/usr/local", "/usr"]
    folders = [Path(place, "include") for place in places if place]
    return next((path for path in folders if (path / "cuda_runtime_api.h").is_file()), None)


def jobs():
    """A header and the flags to compile it with, for every way that it must compile in."""
    toolkit = toolkit_include()
    if toolkit is None:
        print(f"no CUDA toolkit here: {', '.join(NEEDS_TOOLKIT)} left out")
    for root in INCLUDE_ROOTS:
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.suffix not in SUFFIXES:
                continue
            if name in NEEDS_TOOLKIT:
                if toolkit is not None:
                    yield name, ["-isystem", str(toolkit)]
                continue
            declares = root.name == "kernels" and path.suffix == ".hpp"
            if not name.startswith(CUDA) or name in PLAIN or declares:
                yield name, []
            if name.startswith(CUDA):
                yield name, SIMT_FLAGS


def compile_alone(compiler, header, flags):
    """What the compiler says; empty where all is well."""
    command = compiler + ["-std=c++20", "-fsyntax-only", *WARNINGS, "-x", "c++", "-", *flags]
    command += [f"-I{root}" for root in INCLUDE_ROOTS]
    # Twice: a header must also bear being included again.
    source = f"#include <{header}>\n#include <{header}>\nint main() {{}}\n"
    result = subprocess.run(command, input=source, text=True, capture_output=True)
    return result.stderr if result.returncode != 0 else ""


def main():
    compiler = sys.argv[1:] or ["c++"]
    todo = list(jobs())
    if not todo:
        sys.exit("no header found")
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        errors = list(pool.map(lambda job: compile_alone(compiler, *job), todo))
    failed = [(job, error) for job, error in zip(todo, errors) if error]
    for (name, flags), error in failed:
        print(f"{name} does not compile alone{' on the executor' * (flags == SIMT_FLAGS)}:\n{error}")
    names = {name for name, _ in todo}
    bad = {name for (name, _), _ in failed}
    print(f"{compiler[0]}: {len(names - bad)} of {len(names)} headers compile alone")
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
