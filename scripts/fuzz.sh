#!/usr/bin/env bash
# Builds the fuzz targets of tests/fuzz and runs each for some seconds, one per processor at a time.
# What breaks one is left in build/fuzz/artifacts; a copy in tests/fuzz/seeds/NAME keeps it mended.
#
# usage: scripts/fuzz.sh [SECONDS [SEED]]      20 seconds, another seed every time
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-20}
seed=${2:-0} # 0: by chance
cmake --preset fuzz -DMIEN_WERROR=ON >/dev/null
cmake --build --preset fuzz

out=$PWD/build/fuzz
fuzz_one() {
  local name
  name=$(basename "$1" _fuzz)
  mkdir -p "$out/corpus/$name" "$out/artifacts/$name"
  if ! "$1" "$out/corpus/$name" "tests/fuzz/seeds/$name" -seed="$seed" -max_total_time="$seconds" -timeout=10 \
    -rss_limit_mb=1024 -malloc_limit_mb=512 -artifact_prefix="$out/artifacts/$name/" \
    >"$out/$name.log" 2>&1; then
    tail -n 40 "$out/$name.log"
    echo "fuzz: $name FAILED"
    return 1
  fi
  echo "fuzz: $name: $(grep -E '^Done ' "$out/$name.log")"
}
export -f fuzz_one
export out seconds seed
printf '%s\0' "$out"/fuzz/*_fuzz | xargs -0 -n 1 -P "$(nproc)" bash -c 'fuzz_one "$1"' _
