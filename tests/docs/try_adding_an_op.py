#!/usr/bin/env python3
"""Builds and runs the templates of docs/adding_an_op.md as they stand there.

usage: try_adding_an_op.py COMPILER WORK_FOLDER [FLAG...]      FLAGs: for GoogleTest, such as -L or -I

A block under a line <!-- file: PATH --> is that file. The ops go through the checks that all ops go
through, but for PyTorch's golden values.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"<!-- file: (\S+) -->\n```cpp\n(.*?)^```$", re.DOTALL | re.MULTILINE)
OPS = {"include/mien/ops/softplus.hpp": "mien::Unary<mien::ops::Softplus>",
       "include/mien/ops/row_normalize.hpp": "mien::ops::RowNormalize"}
PROGRAM = "cube.cpp"


def write_templates(work):
    blocks = dict(BLOCK.findall((ROOT / "docs/adding_an_op.md").read_text(encoding="utf-8")))
    missing = {*OPS, PROGRAM} - blocks.keys()
    if missing:
        sys.exit(f"docs/adding_an_op.md has no {', '.join(sorted(missing))}")
    for name, text in blocks.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def write_test(work):
    includes = "".join(f"#include <{name.removeprefix('include/')}>\n" for name in OPS)
    (work / "templates_test.cpp").write_text(
        f'{includes}#include <mien/ops/all.hpp>\n#include "support/op_checks.hpp"\n'
        f"const bool registered = mien::test::register_ops(mien::TypeList<{', '.join(OPS.values())}>{{}});\n",
        encoding="utf-8")


def build(compiler, work, program, sources, flags):
    roots = [work / "include", work / "kernels", ROOT / "include", ROOT / "kernels", ROOT / "tests"]
    subprocess.run([compiler, "-std=c++20", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror",
                    *(f"-I{root}" for root in roots), *sources, "-o", work / program, *flags],
                   check=True)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    compiler, work, flags = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    write_templates(work)
    write_test(work)
    build(compiler, work, "cube", [work / PROGRAM], ["-pthread"])
    subprocess.run([work / "cube"], check=True)
    build(compiler, work, "templates_test", [work / "templates_test.cpp", ROOT / "tests/support/main.cpp"],
          [*flags, "-lgtest", "-pthread"])
    subprocess.run([work / "templates_test", "--gtest_brief=1", "--gtest_filter=-*.torch/*"], check=True)


if __name__ == "__main__":
    main()
