#!/usr/bin/env bash
# Builds and runs the programs of this folder as a project outside mien would.
#
# usage: check.sh package|subdirectory|pkg_config|headers CXX SOURCE WORK [BUILD]
#   package, pkg_config   install BUILD, move the installed tree, and use it there
#   subdirectory          take SOURCE in with add_subdirectory
#   headers               the compiler with two -I flags, nothing else
set -euo pipefail

way=$1 cxx=$2 source=$3 work=$4 build=${5:-}
here=$source/tests/consumer
rm -rf "$work"
mkdir -p "$work"

# An installed tree that no longer stands where it was installed.
install_and_move() {
  cmake --install "$build" --prefix "$work/installed" >"$work/install.log"
  mv "$work/installed" "$work/moved"
}

with_cmake() {
  cmake -S "$here" -B "$work/build" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_BUILD_TYPE=Debug "$@"
  cmake --build "$work/build"
  mv "$work"/build/{custom_op,custom_op_compiled,files} "$work"
}

case $way in
  package)
    install_and_move
    with_cmake -DCMAKE_PREFIX_PATH="$work/moved"
    ;;
  subdirectory)
    with_cmake -DMIEN_SOURCE_DIR="$source"
    ;;
  pkg_config)
    install_and_move
    PKG_CONFIG_PATH=$(dirname "$(find "$work/moved" -name mien.pc)")
    export PKG_CONFIG_PATH
    read -ra engine_flags < <(pkg-config --cflags --libs mien)
    read -ra compiled_flags < <(pkg-config --cflags --libs mien-compiled)
    read -ra file_flags < <(pkg-config --cflags --libs mien-image mien-weights)
    "$cxx" -std=c++20 -I"$here" "$here/custom_op.cpp" -o "$work/custom_op" "${engine_flags[@]}"
    "$cxx" -std=c++20 -I"$here" "$here/custom_op.cpp" -o "$work/custom_op_compiled" \
      "${compiled_flags[@]}"
    "$cxx" -std=c++20 "$here/files.cpp" -o "$work/files" "${file_flags[@]}"
    ;;
  headers)
    "$cxx" -std=c++20 -I"$source/include" -I"$source/kernels" -I"$here" "$here/custom_op.cpp" \
      -o "$work/custom_op"
    ;;
  *)
    sed -n '2,8s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac

for program in custom_op custom_op_compiled files; do
  if [[ -x $work/$program ]]; then "$work/$program" "$work"; fi
done
