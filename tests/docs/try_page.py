#!/usr/bin/env python3
"""Builds and runs the code of a page of documentation as it stands there.

usage: try_page.py PAGE COMPILER WORK_FOLDER [FLAG...]      FLAGs: for GoogleTest, such as -L or -I

A block under a line <!-- file: PATH --> is that file. Headers (PATH.hpp) have to compile, programs
(PATH.cpp) run in the page's order, in one folder that is empty at first. Ops of mien
(include/mien/ops) go through the checks that all ops go through, but for PyTorch's golden values.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^<!-- file: (\S+) -->\n```cpp\n(.*?)^```$", re.DOTALL | re.MULTILINE)
CPP_BLOCK = re.compile(r"^```cpp$", re.MULTILINE)
OPS_FOLDER = "include/mien/ops/"
OPS = {"softplus.hpp": "mien::Unary<mien::ops::Softplus>",
       "row_normalize.hpp": "mien::ops::RowNormalize"}


def write_files(page, work):
    text = page.read_text(encoding="utf-8")
    blocks = dict(BLOCK.findall(text))
    if not blocks or len(blocks) != len(CPP_BLOCK.findall(text)):
        sys.exit(f"{page}: expected every block of C++ under a line <!-- file: PATH --> of its own")
    for name, content in blocks.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return list(blocks)


def compile_with(compiler, work, *arguments):
    roots = [work, *(root / part for root in (work, ROOT) for part in ("include", "kernels")),
             ROOT / "tests"]
    subprocess.run([compiler, "-std=c++20", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror",
                    *(f"-I{root}" for root in roots), *arguments], check=True)


def include(name):
    return f"#include <{name.removeprefix('include/')}>\n"


def try_headers(compiler, work, headers):
    (work / "headers.cpp").write_text("".join(map(include, headers)), encoding="utf-8")
    compile_with(compiler, work, "-fsyntax-only", work / "headers.cpp")


def try_programs(compiler, work, sources):
    with tempfile.TemporaryDirectory() as folder:
        for name in sources:
            program = work / Path(name).stem
            compile_with(compiler, work, work / name, "-o", program, "-pthread")
            subprocess.run([program], cwd=folder, check=True)


def try_ops(compiler, work, headers, flags):
    types = ", ".join(OPS[name.removeprefix(OPS_FOLDER)] for name in headers)
    (work / "ops_test.cpp").write_text(
        "".join(map(include, headers)) +
        '#include <mien/ops/all.hpp>\n#include "support/op_checks.hpp"\n'
        f"const bool registered = mien::test::register_ops(mien::TypeList<{types}>{{}});\n",
        encoding="utf-8")
    compile_with(compiler, work, work / "ops_test.cpp", ROOT / "tests/support/main.cpp", "-o",
                 work / "ops_test", *flags, "-lgtest", "-pthread")
    subprocess.run([work / "ops_test", "--gtest_brief=1", "--gtest_filter=-*.torch/*"], check=True)


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    page, compiler, work, flags = (Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]).resolve(),
                                   sys.argv[4:])
    names = write_files(page, work)
    headers = [name for name in names if name.endswith(".hpp")]
    ops = [name for name in headers if name.startswith(OPS_FOLDER)]
    if headers:
        try_headers(compiler, work, headers)
    try_programs(compiler, work, [name for name in names if name.endswith(".cpp")])
    if ops:
        try_ops(compiler, work, ops, flags)


if __name__ == "__main__":
    main()
