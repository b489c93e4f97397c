#!/usr/bin/env python3
"""Checks which file of mien may include which (docs/architecture.md), and where macros may stand.

usage: check_includes.py [ROOT]      prints one line per violation; exit status 1 if there is any
"""

import re
import sys
from pathlib import Path

# A layer may include itself, the layers of the lines above it, and of its own line those named in
# SIBLINGS.
ORDER = [
    ["config"],
    ["core"],
    ["cpu", "cuda", "kernels"],
    ["autograd"],
    ["ops"],
    ["nn", "loss", "metrics"],
    ["optim", "data", "io"],
    ["models", "infer", "train"],
    ["affect"],
    ["weights"],
]
SIBLINGS = {("cpu", "kernels"), ("cuda", "kernels"), ("kernels", "cuda"), ("data", "io")}
RANK = {layer: rank for rank, layers in enumerate(ORDER) for layer in layers}
UMBRELLA_RANK = RANK["optim"]  # mien.hpp: up to optim, without data and io

SOURCES = (".hpp", ".inl", ".cuh", ".cu", ".cpp")
INCLUDE_ROOTS = ("include", "kernels", "weights_tools/include")
# May include every layer.
UNLAYERED = ("tests", "bench", "examples", "src/compiled", "src/cuda", "weights_tools/mien_convert")
OUTSIDE = "tests/consumer/"  # stands for programs that know nothing of these rules
SUFFIXES = (".hpp", ".inl", ".cuh", ".cu", ".cpp")

CUDA_ROOTS = ("include/mien/cuda/", "kernels/mien/cuda/")
KERNEL_INCLUDES = ("config.hpp", "core/view.hpp", "core/dtype.hpp", "core/float16.hpp")
# Headers of launchers (kernels/mien/cuda/*.hpp) are plain C++ that needs no toolkit.
LAUNCHERS = "kernels/mien/cuda/"
LAUNCHER_INCLUDES = KERNEL_INCLUDES + ("cuda/macros.hpp", "cuda/stream.hpp")
SLOW_TO_PARSE = ("iostream", "regex", "ranges", "random", "filesystem", "thread")
NO_SLOW_HEADERS = {layer for layer in RANK if RANK[layer] <= RANK["optim"]} - {"data"}

# Third-party headers by the folder that may name them.
THIRD_PARTY = {
    "include/mien/cuda": r"cuda_(runtime_api|fp16|bf16)\.h",
    "src/image": r"jpeglib\.h|jerror\.h|png\.h|zlib\.h|stb_image(_write)?\.h",
    "weights_tools/include": r"zlib\.h",
    "weights_tools/mien_convert": r"CLI/.*|nlohmann/.*",
    "examples": r"CLI/.*|nlohmann/.*",
    "tests": r"gtest/.*|nlohmann/.*|zlib\.h|ucontext\.h|sanitizer/.*",
    "bench": r"benchmark/.*|cuda_runtime(_api)?\.h|cudnn\.h|cublas(_v2|Lt)\.h",
}
# The C library, the operating system and the compiler; a name without a dot is a C++ header.
SYSTEM = re.compile(r"[a-z_]+|(sys/\w+|pthread|sched|fcntl|unistd|cpuid|dirent|errno|signal)\.h")
INTRINSICS = "immintrin.h"
INTRINSICS_FILE = "include/mien/cpu/simd.hpp"  # most of mien must not pay its parse cost

# Macros of those libraries that src/image may define or ask about.
LIBRARY_MACROS = ("STB", "LIBJPEG_", "JPEG_", "PNG_")

MACRO_FILES = ("include/mien/config.hpp", "include/mien/cpu/isa.hpp",
               "include/mien/cpu/foreach_isa.inl", "include/mien/cuda/macros.hpp")
MAX_CONFIG_MACROS = 14
# What else may ask about the compiler: nvcc and the sanitizers that the SIMT executor talks to.
COMPILER_FILES = (MACRO_FILES[0], "include/mien/cuda/macros.hpp", "tests/simt/sanitizer.hpp")

DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(include|define|if|ifdef|ifndef|elif)\b(.*)$", re.MULTILINE)
KERNEL_FILE = re.compile(r"\s*MIEN_KERNEL_FILE\s+(<.*>)")


def layer_of(path):
    """The layer of a file named relative to the root; None where every layer may be included."""
    if path.startswith(UNLAYERED):
        return None
    if path.startswith("src/"):
        return "data" if path.startswith("src/image/") else "weights"
    if path.startswith("kernels/"):
        return "kernels"
    inside = path.split("mien/", 1)[1]
    if inside == "mien.hpp":
        return "umbrella"
    return inside.split("/")[0] if "/" in inside else inside.removesuffix(".hpp")


def guard_of(path):
    """The include guard of a header that includes itself again: MIEN_OPS_ADD_HPP."""
    return "MIEN_" + re.sub(r"\W", "_", path.split("mien/", 1)[-1]).upper()


def may_include(user, used):
    if user is None or user == used:
        return True
    if user == "umbrella":
        return RANK[used] <= UMBRELLA_RANK and used not in ("data", "io")
    return RANK[used] < RANK[user] or (user, used) in SIBLINGS


class Checker:
    def __init__(self, root):
        self.root = Path(root)
        self.violations = []

    def run(self):
        folders = INCLUDE_ROOTS + ("src",) + UNLAYERED
        files = {path for folder in folders for path in (self.root / folder).rglob("*")}
        for path in sorted(files):
            name = path.relative_to(self.root).as_posix()
            if path.suffix in SUFFIXES and not name.startswith(OUTSIDE):
                self.check_file(name, path.read_text())
        return self.violations

    def report(self, path, line, message):
        self.violations.append(f"{path}:{line}: {message}")

    def check_file(self, path, text):
        guards = ("#pragma once\n", f"#ifndef {guard_of(path)}\n")
        if path.endswith(".hpp") and not text.startswith(guards):
            self.report(path, 1, f"a header begins with #pragma once or #ifndef {guard_of(path)}")
        text = text.replace("\\\n", "  ")  # joins continued lines; line numbers stay near enough
        config_macros = set()
        for match in DIRECTIVE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            kind, rest = match.groups()
            if kind == "include":
                self.check_include(path, line, rest.strip())
            elif kind == "define":
                kernel = KERNEL_FILE.fullmatch(rest)
                if kernel:
                    self.check_include(path, line, kernel[1])
                else:
                    config_macros.add(self.check_define(path, line, rest))
            else:
                self.check_condition(path, line, rest)
        if path == MACRO_FILES[0] and len(config_macros) > MAX_CONFIG_MACROS:
            self.report(path, 1, f"{len(config_macros)} macros, at most {MAX_CONFIG_MACROS}")

    def check_include(self, path, line, text):
        if text in ("MIEN_KERNEL_FILE", "MIEN_SIMT"):
            return
        if not text.startswith("<"):
            if layer_of(path) is not None and not path.startswith("src/"):
                self.report(path, line, f"write #include {text} with <> and its path from a root")
            return
        name = text[1:text.index(">")]
        if path.startswith("kernels/") and path.endswith(".inl"):
            self.report(path, line, f"a kernel body includes nothing, this one <{name}>")
        elif name.startswith("mien/"):
            self.check_own_include(path, line, name)
        else:
            self.check_foreign_include(path, line, name)

    def check_own_include(self, path, line, name):
        target = next((f"{root}/{name}" for root in INCLUDE_ROOTS
                       if (self.root / root / name).is_file()), None)
        if target is None:
            self.report(path, line, f"there is no <{name}>")
            return
        inside = name.removeprefix("mien/")
        user, used = layer_of(path), layer_of(target)
        if inside in ("mien.hpp", "ops/all.hpp") and user not in (None, "umbrella"):
            self.report(path, line, f"only tests, bench, examples and src/compiled include <{name}>")
        elif user == "kernels" and not target.startswith(CUDA_ROOTS) and inside not in KERNEL_INCLUDES:
            self.report(path, line, f"a kernel may not include <{name}>")
        elif path.startswith(LAUNCHERS) and path.endswith(".hpp") and not (
                inside in LAUNCHER_INCLUDES or
                target.startswith(LAUNCHERS) and target.endswith(".hpp")):
            self.report(path, line, f"a header of launchers may not include <{name}>")
        elif not may_include(user, used):
            self.report(path, line, f"{user} may not include {used}: <{name}>")

    def check_foreign_include(self, path, line, name):
        layer = layer_of(path)
        if name in SLOW_TO_PARSE and (layer in NO_SLOW_HEADERS or layer == "umbrella"):
            self.report(path, line, f"<{name}> is slow to parse: not below data/")
        if name == INTRINSICS:
            if path != INTRINSICS_FILE:
                self.report(path, line, f"only cpu/simd.hpp includes <{name}>")
        elif not SYSTEM.fullmatch(name) and not self.own_folder_include(path, name):
            allowed = next((names for folder, names in THIRD_PARTY.items()
                            if path.startswith(folder + "/")), "")
            if not re.fullmatch(allowed, name):
                self.report(path, line, f"third-party header <{name}> has no place here")

    def own_folder_include(self, path, name):
        """Programs and tests include files of their own tree: <support/data_dir.hpp>."""
        top = path.split("/")[0]
        return layer_of(path) is None and (self.root / top / name).is_file()

    def check_define(self, path, line, rest):
        name = re.match(r"\s*(\w+)", rest)[1]
        if path.startswith("src/image/") and name.startswith(LIBRARY_MACROS):
            return name
        if not name.startswith("MIEN_"):
            self.report(path, line, f"macro {name} is not named MIEN_*")
        elif layer_of(path) and path not in MACRO_FILES and name != guard_of(path):
            self.report(path, line, f"macro {name} is defined outside {', '.join(MACRO_FILES)}")
        return name

    def check_condition(self, path, line, rest):
        if path in COMPILER_FILES:
            return
        allowed = ("MIEN_",) + (LIBRARY_MACROS if path.startswith("src/image/") else ())
        for name in re.findall(r"\b[A-Za-z_]\w*", rest.split("//")[0]):
            if name != "defined" and not name.startswith(allowed):
                self.report(path, line, f"only config.hpp asks about {name}")


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    violations = Checker(root).run()
    for violation in violations:
        print(violation)
    if violations:
        sys.exit(1)


if __name__ == "__main__":
    main()
