#!/usr/bin/env python3
"""Breaks each rule of scripts/check_includes.py once in a small tree and expects it to be reported."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import check_includes  # noqa: E402

CLEAN = {
    "include/mien/config.hpp": "#pragma once\n#if defined(__GNUC__)\n#define MIEN_A 1\n#endif\n",
    "include/mien/mien.hpp": "#pragma once\n#include <mien/ops/all.hpp>\n",
    "include/mien/core/dtype.hpp": "#pragma once\n#include <cstdint>\n#include <mien/config.hpp>\n",
    "include/mien/core/tensor.hpp": "#pragma once\n#include <mien/core/dtype.hpp>\n",
    "include/mien/cpu/isa.hpp": "#pragma once\n#if MIEN_A\n#include <cpuid.h>\n#endif\n",
    "include/mien/cpu/simd.hpp": "#pragma once\n#include <immintrin.h>\n",
    "include/mien/cpu/foreach_isa.inl": "#define MIEN_ISA scalar\n#include MIEN_KERNEL_FILE\n",
    "include/mien/cpu/gemm.hpp": "#pragma once\n#define MIEN_KERNEL_FILE <mien/cpu/gemm.inl>\n"
                                 "#include <mien/cpu/foreach_isa.inl>\n",
    "include/mien/ops/add.hpp": "#ifndef MIEN_OPS_ADD_HPP\n#define MIEN_OPS_ADD_HPP\n"
                                "#include <mien/core/tensor.hpp>\n#elif defined(MIEN_ISA)\n#endif\n",
    "include/mien/ops/all.hpp": "#pragma once\n#include <mien/ops/add.hpp>\n",
    "include/mien/io/file.hpp": "#pragma once\n#include <cstdio>\n",
    "include/mien/data/image.hpp": "#pragma once\n#include <iostream>\n#include <mien/io/file.hpp>\n",
    "kernels/mien/cpu/gemm.inl": "namespace mien {}\n",
    "include/mien/cuda/macros.hpp": "#pragma once\n#if defined(__CUDACC__)\n#define MIEN_B 1\n"
                                    "#elif defined(MIEN_SIMT)\n#include MIEN_SIMT\n#endif\n",
    "include/mien/cuda/runtime.hpp": "#pragma once\n#include <cuda_runtime_api.h>\n",
    "kernels/mien/cuda/swish.hpp": "#pragma once\n#include <cstdint>\n"
                                   "#include <mien/cuda/macros.hpp>\n",
    "kernels/mien/cuda/swish.cuh": "#pragma once\n#include <mien/core/dtype.hpp>\n"
                                   "#include <mien/cuda/runtime.hpp>\n#include <mien/cuda/swish.hpp>\n",
    "src/cuda/swish.cu": "#include <mien/cuda/swish.cuh>\n#define MIEN_INSTANCES(T) f<T>();\n",
    "tests/kernels/swish_test.cpp": "#include <mien/cuda/swish.hpp>\n",
    "src/image/jpeg.cpp": "#include <jpeglib.h>\n#include <mien/data/image.hpp>\n"
                          "#ifdef LIBJPEG_TURBO_VERSION\n#endif\n",
    "src/image/stb.cpp": "#define STB_IMAGE_IMPLEMENTATION\n#include <stb_image.h>\n",
    "weights_tools/include/mien/weights/zip.hpp": "#pragma once\n#include <zlib.h>\n"
                                                  "#include <mien/data/image.hpp>\n",
    "examples/show/main.cpp": "#include <CLI/CLI.hpp>\n#include <mien/mien.hpp>\n",
    "tests/support/data_dir.hpp": "#pragma once\n",
    "tests/ops/add_test.cpp": "#include <gtest/gtest.h>\n#include <mien/ops/all.hpp>\n"
                              "#include <support/data_dir.hpp>\n",
}

# File, line added to it, words of the report.
VIOLATIONS = [
    ("include/mien/core/tensor.hpp", "#include <mien/ops/add.hpp>", "core may not include ops"),
    ("include/mien/ops/add.hpp", "#include <mien/data/image.hpp>", "ops may not include data"),
    ("include/mien/config.hpp", "#include <mien/core/dtype.hpp>", "config may not include core"),
    ("include/mien/mien.hpp", "#include <mien/data/image.hpp>", "umbrella may not include data"),
    ("include/mien/io/file.hpp", "#include <mien/data/image.hpp>", "io may not include data"),
    ("include/mien/data/image.hpp", "#include <mien/weights/zip.hpp>",
     "data may not include weights"),
    ("include/mien/cpu/gemm.hpp", "#include <mien/core/absent.hpp>", "there is no"),
    ("include/mien/cpu/gemm.hpp", '#include "isa.hpp"', "write #include"),
    ("kernels/mien/cpu/gemm.inl", "#include <cmath>", "a kernel body includes nothing"),
    ("kernels/mien/cuda/swish.cuh", "#include <mien/core/tensor.hpp>", "a kernel may not include"),
    ("kernels/mien/cuda/swish.hpp", "#include <mien/cuda/runtime.hpp>",
     "a header of launchers may not include"),
    ("kernels/mien/cuda/swish.hpp", "#include <mien/cuda/swish.cuh>",
     "a header of launchers may not include"),
    ("kernels/mien/cuda/swish.cuh", "#include <cuda_runtime_api.h>", "third-party header"),
    ("kernels/mien/cuda/swish.cuh", "#ifdef __CUDACC__", "only config.hpp asks about __CUDACC__"),
    ("src/cuda/swish.cu", "#define INSTANCES(T) f<T>();", "macro INSTANCES is not named MIEN_*"),
    ("include/mien/core/tensor.hpp", "#include <iostream>", "slow to parse"),
    ("include/mien/cpu/gemm.hpp", "#include <immintrin.h>", "only cpu/simd.hpp includes"),
    ("include/mien/data/image.hpp", "#include <mien/mien.hpp>", "only tests, bench, examples"),
    ("weights_tools/include/mien/weights/zip.hpp", "#include <mien/ops/all.hpp>",
     "only tests, bench, examples"),
    ("include/mien/data/image.hpp", "#include <jpeglib.h>", "third-party header"),
    ("src/image/jpeg.cpp", "#include <CLI/CLI.hpp>", "third-party header"),
    ("include/mien/core/dtype.hpp", "#ifdef __AVX2__", "only config.hpp asks about __AVX2__"),
    ("include/mien/ops/add.hpp", "#if MIEN_A && defined(_WIN32)", "only config.hpp asks about"),
    ("include/mien/core/dtype.hpp", "#define CHECK(x) x", "macro CHECK is not named MIEN_*"),
    ("include/mien/core/dtype.hpp", "#define MIEN_CHECK(x) x", "is defined outside"),
    ("tests/ops/add_test.cpp", "#define N 3", "macro N is not named MIEN_*"),
    ("include/mien/config.hpp", "".join(f"#define MIEN_M{i}\n" for i in range(20)), "macros, at most"),
]


def violations(files):
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return check_includes.Checker(root).run()


class CheckIncludes(unittest.TestCase):
    def test_clean_tree(self):
        self.assertEqual(violations(CLEAN), [])

    def test_each_violation_is_reported_alone(self):
        for name, line, expected in VIOLATIONS:
            with self.subTest(expected, file=name):
                found = violations({**CLEAN, name: f"{CLEAN[name]}{line}\n"})
                self.assertEqual(len(found), 1, found)
                self.assertIn(expected, found[0])
                self.assertTrue(found[0].startswith(name + ":"), found[0])

    def test_header_without_guard(self):
        found = violations({**CLEAN, "include/mien/core/bare.hpp": "namespace mien {}\n"})
        self.assertEqual(len(found), 1, found)
        self.assertIn("begins with #pragma once", found[0])


if __name__ == "__main__":
    unittest.main()
