#!/usr/bin/env python3
"""What ptxas says of every kernel in mien::cuda: registers, shared memory, spills. Writes
docs/ptxas.md, a row for each kernel over all its instances.

usage: ptxas_report.py [--arch sm_90] [--out FILE] [SOURCE...]      needs nvcc and c++filt

The exit status is 1 where any kernel spills registers or keeps anything else on a stack.
"""

import argparse
import collections
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = """# Registers and shared memory of the CUDA kernels

Written by `scripts/ptxas_report.py`; not edited by hand. {compiler}, {arch}, every instance in `src/cuda`. Two numbers are the
least and the most over a kernel's instances. Shared memory is the static one, in bytes; what a launch adds to it stands
beside the launchers. Spills are bytes stored, stack is bytes per thread; both are to be 0.

| kernel | file | instances | registers | shared | stack | spills |
|---|---|---|---|---|---|---|
"""
ENTRY = re.compile(r"Compiling entry function '(\w+)' for")
FUNCTION = re.compile(r"Function properties for (\w+)")
STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
REGISTERS = re.compile(r"Used (\d+) registers")
SHARED = re.compile(r"(\d+) bytes smem")

Usage = collections.namedtuple("Usage", "registers shared stack spills")


def compile_verbosely(source, arch):
    """What nvcc prints with -Xptxas -v."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["nvcc", "-std=c++20", f"-arch={arch}", "-cubin", "-Xptxas", "-v",
                   f"-I{ROOT / 'include'}", f"-I{ROOT / 'kernels'}", str(source),
                   "-o", str(Path(folder, "kernels.cubin"))]
        result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{source} does not compile:\n{result.stderr}")
    return result.stderr + result.stdout


def parse(text):
    """Usage by mangled name. A function's stack is named before its registers."""
    usages, entry, stack, current = {}, None, {}, None
    for line in text.splitlines():
        if match := ENTRY.search(line):
            entry = match[1]
        elif match := FUNCTION.search(line):
            current = match[1]
        elif match := STACK.search(line):
            stack[current] = int(match[1]), int(match[2])
        elif (match := REGISTERS.search(line)) and entry:
            shared = SHARED.search(line)
            usages[entry] = Usage(int(match[1]), int(shared[1]) if shared else 0,
                                  *stack.get(entry, (0, 0)))
            entry = None
    return usages


def short_name(demangled):
    """`void mien::kernels::nvcc::swish_kernel<8, float>(float*, ...)`: swish_kernel."""
    before = demangled.split("(")[0] if "<" not in demangled else demangled[:demangled.index("<")]
    return before.split()[-1].rsplit("::", 1)[-1]


def demangle(names):
    result = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True,
                            check=True)
    return result.stdout.splitlines()


def span(numbers):
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low} to {high}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--arch", default="sm_90")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/ptxas.md")
    parser.add_argument("sources", nargs="*", type=Path)
    options = parser.parse_args()
    sources = options.sources or sorted((ROOT / "src/cuda").glob("*.cu"))

    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        outputs = list(pool.map(lambda source: compile_verbosely(source, options.arch), sources))
    rows, spilling = [], []
    for source, output in zip(sources, outputs):
        kernels = collections.defaultdict(list)
        usages = parse(output)
        for demangled, usage in zip(demangle(usages), usages.values()):
            kernels[short_name(demangled)].append(usage)
            if usage.stack or usage.spills:
                spilling.append(f"{demangled}: {usage.stack} bytes of stack, {usage.spills} spilled")
        for name, found in sorted(kernels.items()):
            columns = [span(column) for column in zip(*found)]
            rows.append(f"| `{name}` | {source.stem} | {len(found)} | " + " | ".join(columns) + " |\n")
    release = subprocess.run(["nvcc", "--version"], capture_output=True, text=True).stdout
    compiler = "CUDA " + re.search(r"release ([\d.]+)", release)[1]
    options.out.write_text(HEAD.format(compiler=compiler, arch=options.arch) + "".join(rows))
    print(f"{options.out}: {len(rows)} kernels, {len(spilling)} instances on a stack or spilling")
    for line in spilling:
        print(line)
    if spilling:
        sys.exit(1)


if __name__ == "__main__":
    main()
