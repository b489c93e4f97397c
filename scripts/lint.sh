#!/usr/bin/env bash
# Formatting, file length, include directions, syntax of the scripts. Changes nothing.
#
# usage: scripts/lint.sh [--fix|--tidy]
#   --fix    formats the files instead of naming those that are not
#   --tidy   also runs clang-tidy over a build by clang (slow)
set -uo pipefail
cd "$(dirname "$0")/.."

failed=0
fail() {
  echo "lint: $*" >&2
  failed=1
}

mapfile -t sources < <(find include kernels src weights_tools examples tests bench -type f \
  \( -name '*.hpp' -o -name '*.cpp' -o -name '*.inl' -o -name '*.cuh' -o -name '*.cu' \) | sort)

# Versions of clang-format differ in their opinions; .clang-format is written for this one.
formatter=$(command -v clang-format-14 || command -v clang-format)
if ! "$formatter" --version | grep -q 'version 14\.'; then
  fail "clang-format 14 is needed (scripts/install_deps.sh --dev)"
elif [[ ${1:-} == --fix ]]; then
  "$formatter" -i "${sources[@]}"
else
  while read -r file; do
    fail "$file is not formatted (scripts/lint.sh --fix)"
  done < <("$formatter" --dry-run "${sources[@]}" 2>&1 | sed -n 's/^\([^:]*\):.*clang-format.*/\1/p' | uniq)
fi

while read -r lines file; do
  if [[ $file != total && $lines -gt 500 ]]; then fail "$file has $lines lines, at most 500"; fi
done < <(wc -l "${sources[@]}")

# A page that a formatter of C++ went over no longer begins so.
while read -r page; do
  if [[ $(head -c 2 "$page") != "# " ]]; then fail "$page does not begin with a title"; fi
done < <(git ls-files '*.md')

python3 scripts/check_includes.py || fail "include directions"

mapfile -t scripts < <(find scripts tests bench examples -name '*.py' | sort)
python3 - "${scripts[@]}" <<'PY' || fail "python syntax"
import sys
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        compile(file.read(), name, "exec")
PY
while read -r script; do
  bash -n "$script" || fail "syntax of $script"
done < <(find scripts tests .ci -name '*.sh' -o -path .ci/run)

if [[ ${1:-} == --tidy ]]; then
  cmake --preset clang && cmake --build --preset clang &&
    run-clang-tidy -quiet -p build/clang "$PWD/(src|examples|tests|weights_tools)/" || fail "clang-tidy"
fi

if [[ $failed -eq 0 ]]; then echo "lint: ${#sources[@]} sources and ${#scripts[@]} scripts are clean"; fi
exit $failed
