#!/usr/bin/env bash
# Installs what is missing, builds mien and runs its tests.
#
# usage: scripts/test.sh [--sanitizers] [-DOPTION=VALUE...]
#   --sanitizers     first runs the folders that parse files, move memory or use threads under
#                    AddressSanitizer + UndefinedBehaviorSanitizer and ThreadSanitizer
#   -DOPTION=VALUE   passed on to cmake (-DMIEN_WERROR=ON)
#
# Tests with real data read the folder that MIEN_DATA names and are skipped without it.
set -euo pipefail
cd "$(dirname "$0")/.."

asan_programs=(core cpu io data data_stb affect weights ops loss optim train)
asan_gcc_programs=(simt kernels)
tsan_programs=(core cpu data)
tsan_gcc_programs=(simt kernels)

sanitizers=no
options=()
for argument in "$@"; do
  case $argument in
    --sanitizers) sanitizers=yes ;;
    -D*) options+=("$argument") ;;
    *)
      sed -n '2,9s/^# \{0,1\}//p' "$0"
      exit 2
      ;;
  esac
done

failed=()
stage() { # stage NAME COMMAND...: runs the command, says how long it took
  local name=$1 start=$SECONDS status=passed
  shift
  echo "== $name"
  if ! "$@"; then
    status=FAILED
    failed+=("$name")
  fi
  echo "== $name: $status, $((SECONDS - start)) s"
}

build() { # build PRESET [TARGET...]
  cmake --preset "$1" "${options[@]}" >"$logs/configure-$1.log" &&
    cmake --build --preset "$1" ${2:+--target "${@:2}"}
}

# A few test programs alone, built and run under a sanitizer.
sanitize() { # sanitize PRESET PROGRAM...
  local preset=$1 targets=() names
  shift
  targets=("${@/%/_test}")
  names=$(IFS='|' && echo "${*//_/[.]}") # mien_data_stb_test runs as data.stb
  build "$preset" "${targets[@]/#/mien_}" &&
    ctest --preset "$preset" -R "^($names)([.](scalar|avx2|avx512))?\$"
}

logs=build/logs
mkdir -p $logs
if [[ $sanitizers == no ]]; then
  scripts/install_deps.sh
else
  scripts/install_deps.sh --dev # clang
  stage "asan" sanitize asan "${asan_programs[@]}"
  stage "asan-gcc" sanitize asan-gcc "${asan_gcc_programs[@]}"
  # The instruction sets share the code that starts threads: one that every machine has will do.
  GTEST_FILTER='-*/scalar:*/avx512:*Math*:*Simd*' stage "tsan" sanitize tsan "${tsan_programs[@]}"
  stage "tsan-gcc" sanitize tsan-gcc "${tsan_gcc_programs[@]}"
fi
stage "build" build release
rm -rf build/release/reports
test_release() { ctest --preset release | tee $logs/ctest.log; }
stage "tests" test_release

python3 scripts/summarize_tests.py build/release/reports
if [[ ${#failed[@]} -gt 0 ]]; then echo "failed: ${failed[*]}"; fi
sed -n '/tests passed/,$p' $logs/ctest.log # the runner's own summary closes the output
[[ ${#failed[@]} -eq 0 ]]
