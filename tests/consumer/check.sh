#!/usr/bin/env bash
# Builds and runs the programs of this folder as a project outside mien would.
#
# usage: check.sh [cuda_]package|subdirectory|pkg_config|headers CXX SOURCE WORK [BUILD]
#   package, pkg_config   install BUILD, move the installed tree, and use it there
#   subdirectory          take SOURCE in with add_subdirectory
#   headers               the compiler with two -I flags, nothing else
#   cuda_...              the same with mien::cuda; its headers alone are compiled by nvcc
set -euo pipefail

way=$1 cxx=$2 source=$3 work=$4 build=${5:-}
here=$source/tests/consumer
rm -rf "$work"
mkdir -p "$work"

# An installed tree that no longer stands where it was installed.
install_and_move() {
  cmake --install "$build" --prefix "$work/installed" >"$work/install.log"
  mv "$work/installed" "$work/moved"
  PKG_CONFIG_PATH=$(dirname "$(find "$work/moved" -name mien.pc)")
  export PKG_CONFIG_PATH
}

# with_cmake FOLDER OPTION...: the project in that folder
with_cmake() {
  cmake -S "$1" -B "$work/build" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_BUILD_TYPE=Debug "${@:2}"
  cmake --build "$work/build"
  find "$work/build" -maxdepth 1 -type f -executable -exec mv {} "$work" \;
}

# own_kernel INCLUDE_ROOT...
own_kernel() {
  nvcc -std=c++20 -arch=sm_90 "${@/#/-I}" "$here/cuda/own_kernel.cu" -o "$work/own_kernel"
}

case $way in
  package)
    install_and_move
    with_cmake "$here" -DCMAKE_PREFIX_PATH="$work/moved"
    ;;
  cuda_package)
    install_and_move
    with_cmake "$here/cuda" -DCMAKE_PREFIX_PATH="$work/moved"
    own_kernel "$work/moved/include"
    ;;
  subdirectory)
    with_cmake "$here" -DMIEN_SOURCE_DIR="$source"
    ;;
  cuda_subdirectory)
    # A quarter of the time: what is compiled here only has to link.
    if [[ $(nvcc --help) == *--Ofast-compile* ]]; then export CUDAFLAGS=--Ofast-compile=max; fi
    with_cmake "$here/cuda" -DMIEN_SOURCE_DIR="$source"
    ;;
  pkg_config)
    install_and_move
    read -ra engine_flags < <(pkg-config --cflags --libs mien)
    read -ra compiled_flags < <(pkg-config --cflags --libs mien-compiled)
    read -ra file_flags < <(pkg-config --cflags --libs mien-image mien-weights)
    "$cxx" -std=c++20 -I"$here" "$here/custom_op.cpp" -o "$work/custom_op" "${engine_flags[@]}"
    "$cxx" -std=c++20 -I"$here" "$here/custom_op.cpp" -o "$work/custom_op_compiled" \
      "${compiled_flags[@]}"
    "$cxx" -std=c++20 "$here/files.cpp" -o "$work/files" "${file_flags[@]}"
    ;;
  cuda_pkg_config)
    install_and_move
    read -ra cuda_flags < <(pkg-config --cflags --libs mien-cuda)
    "$cxx" -std=c++20 "$here/cuda/launchers.cpp" -o "$work/launchers" "${cuda_flags[@]}"
    ;;
  headers)
    "$cxx" -std=c++20 -I"$source/include" -I"$source/kernels" -I"$here" "$here/custom_op.cpp" \
      -o "$work/custom_op"
    ;;
  cuda_headers)
    own_kernel "$source/include" "$source/kernels"
    ;;
  *)
    sed -n '2,9s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac

for program in custom_op custom_op_compiled files launchers own_kernel; do
  if [[ -x $work/$program ]]; then "$work/$program" "$work"; fi
done
