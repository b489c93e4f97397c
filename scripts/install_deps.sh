#!/usr/bin/env bash
# Installs what mien is built with, on Debian 12 and Ubuntu 24.04, as far as it is missing.
#
# usage: scripts/install_deps.sh          to build and test
#        scripts/install_deps.sh --dev    also what CI uses: clang, llvm, clang-format, ccache
set -euo pipefail

packages=(g++ cmake ninja-build pkg-config python3 libgtest-dev libjpeg-dev libpng-dev libstb-dev
  zlib1g-dev libcli11-dev nlohmann-json3-dev)
case ${1:-} in
  '') ;;
  --dev) packages+=(clang libclang-rt-dev llvm clang-format-14 ccache libbenchmark-dev git) ;;
  *)
    sed -n '2,5s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac

missing=()
for package in "${packages[@]}"; do
  if ! dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed'; then
    missing+=("$package")
  fi
done
if [[ ${#missing[@]} -eq 0 ]]; then
  echo "install_deps: everything is there"
  exit 0
fi

as_root=()
if [[ $EUID -ne 0 ]]; then as_root=(sudo); fi
echo "install_deps: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
