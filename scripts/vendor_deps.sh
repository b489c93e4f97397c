#!/usr/bin/env bash
# Fills a folder with the packages that scripts/gpu_suite.sh needs on a machine which has neither
# them nor an internet: GoogleTest's sources and Google Benchmark, 3 MB from Debian or Ubuntu.
#
# usage: scripts/vendor_deps.sh [DIR]      .deps, where CMake looks (-DMIEN_DEPS=DIR elsewhere)
#
# Google Benchmark is a shared library for this machine's architecture; glibc and libstdc++ of the
# other machine must be as new as here, or newer.
set -euo pipefail
cd "$(dirname "$0")/.."
deps=$(realpath -m "${1:-.deps}")

# The library's package bears its version: libbenchmark1debian, libbenchmark1.8.3.
library=$(apt-cache depends --important libbenchmark-dev | sed -n 's/^ *Depends: \(libbenchmark[0-9].*\)/\1/p')
downloads=$(mktemp -d)
trap 'rm -rf "$downloads"' EXIT
chmod 755 "$downloads"
(cd "$downloads" && apt-get download -qq -o APT::Sandbox::User=root googletest libbenchmark-dev "$library")

mkdir -p "$deps"
rm -rf "${deps:?}/usr"
for package in "$downloads"/*.deb; do dpkg -x "$package" "$deps"; done
rm -rf "$deps"/usr/{share,src/googletest/googlemock/{docs,test},src/googletest/googletest/{docs,samples,test}}
for file in usr/src/googletest/CMakeLists.txt usr/include/benchmark/benchmark.h; do
  if [[ ! -e $deps/$file ]]; then
    echo "vendor_deps: $deps/$file is missing" >&2
    exit 1
  fi
done
echo "vendor_deps: $(ls "$downloads" | tr '\n' ' ')-> $deps, $(du -sh "$deps" | cut -f1)"
