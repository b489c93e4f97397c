#!/usr/bin/env bash
# Builds mien::cuda for the GPU of this machine, tests it, and measures it beside cuDNN and PyTorch.
#
# usage: scripts/gpu_suite.sh [--quick] [--out DIR] [--rehearse]
#   --quick      eight minutes at most, given 16 cores; how they are divided stands below
#   --out DIR    leaves copies of the results and of all logs there
#   --rehearse   no GPU here: builds, lets the tests skip themselves, lists what would be measured
#
# Needs CUDA 13, cmake, ninja and python3, for the comparisons cuDNN and PyTorch. GoogleTest and
# Google Benchmark are the system's or those of the folder MIEN_DEPS (.deps), which
# scripts/vendor_deps.sh fills where there is an internet. Nothing is fetched here.
#
# Writes bench/results/GPU-DATE.json and .md, and prints the table last. A stage that fails or
# takes too long does not stop the others; the exit status tells of it.
set -uo pipefail
cd "$(dirname "$0")/.."

quick=() out='' rehearse=no
while [[ $# -gt 0 ]]; do
  case $1 in
    --quick) quick=(--quick) ;;
    --rehearse) rehearse=yes ;;
    --out)
      out=${2:?--out DIR}
      shift
      ;;
    *)
      sed -n '2,15s/^# \{0,1\}//p' "$0"
      exit 2
      ;;
  esac
  shift
done

# Seconds that a stage may take.
if [[ ${#quick[@]} -gt 0 ]]; then
  declare -A limit=([configure]=25 [build]=120 [tests]=40 [memcheck]=35 [racecheck]=35
    [benchmarks]=110 [pytorch]=100 [report]=10)
  share=(GTEST_TOTAL_SHARDS=4 GTEST_SHARD_INDEX=0) # under compute-sanitizer every fourth test
else
  declare -A limit=([configure]=60 [build]=900 [tests]=300 [memcheck]=600 [racecheck]=600
    [benchmarks]=1800 [pytorch]=1800 [report]=60)
  share=()
fi
if [[ $rehearse == yes ]]; then # on whatever cores there are
  for name in "${!limit[@]}"; do limit[$name]=7200; done
fi

if ! command -v nvcc >/dev/null; then PATH=$PATH:/usr/local/cuda/bin; fi
gpu=$(nvidia-smi --query-gpu=name --format=csv,noheader --id=0 2>/dev/null) || gpu=''
if [[ -z $gpu && $rehearse == no ]]; then
  echo "gpu_suite: nvidia-smi names no GPU; --rehearse goes through what needs none" >&2
  exit 1
fi
architecture=90
if [[ -n $gpu ]]; then
  architecture=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader --id=0 | tr -dc 0-9)
  export MIEN_REQUIRE_GPU=1
fi

build=build/gpu
work=$build/suite
rm -rf "$work"
mkdir -p "$work" bench/results
if [[ -n $out ]]; then mkdir -p "$out"; fi
keep() { if [[ -n $out && -e $1 ]]; then cp "$1" "$out"; fi; }
say() { printf '[%3d s] %s\n' "$SECONDS" "$*"; }

failed=()
stage() { # stage NAME COMMAND...: within its limit, its output into a log; says how it ended
  local name=$1 start=$SECONDS log=$work/$1.log status=0 outcome detail
  shift
  timeout --kill-after=5 "${limit[$name]}" "$@" >"$log" 2>&1 || status=$?
  case $status in
    0) outcome=passed ;;
    77) outcome=skipped ;;
    124 | 137) outcome="STOPPED after its ${limit[$name]} s" ;;
    *) outcome="FAILED ($status)" ;;
  esac
  detail=$(grep -aE '^\[  (PASSED|SKIPPED|FAILED) *\] [0-9]+ test|ERROR SUMMARY|RACECHECK SUMMARY' "$log" | tr -s '\n=' ' ')
  say "$name: $outcome, $((SECONDS - start)) s $detail"
  if [[ $status -ne 0 && $status -ne 77 ]]; then
    failed+=("$name")
    grep -aE 'error|Error|FAILED|Failure' "$log" | head -n 8 | cut -c1-200
    tail -n 8 "$log" | cut -c1-200
  fi
  { echo "==== $name: $outcome" && cat "$log"; } >>"$work/suite.log"
  keep "$work/suite.log"
}

say "${gpu:-no GPU}, sm_$architecture, $(nproc) cores"
stage configure cmake --preset gpu -DCMAKE_CUDA_ARCHITECTURES="$architecture-real" \
  -DMIEN_DEPS="$(realpath -m "${MIEN_DEPS:-.deps}")" -DPython3_EXECUTABLE="$(command -v python3)"
stage build cmake --build $build --parallel -- -k 0

# Tests with broken kernels in them are left to the plain run.
sanitized() {
  stage "$1" env "${share[@]}" compute-sanitizer --tool "$1" --error-exitcode 9 \
    $build/tests/mien_cuda_test --gtest_filter='-Broken*' --gtest_brief=1
}
# Gives the results of a program that was stopped the end that they lack; fails where a kernel did.
check_results() {
  python3 - "$1" <<'PY'
import json, sys
try:
    text = open(sys.argv[1]).read()
except OSError:
    sys.exit("no results")
try:
    runs = json.loads(text)["benchmarks"]
except ValueError:
    text = text[:text.rfind("    },") + 5] + "]}"
    runs = json.loads(text)["benchmarks"]
    open(sys.argv[1], "w").write(text)
wrong = [run for run in runs if run.get("error_occurred")]
for run in wrong[:8]:
    print(f"{run['name']}: {run['error_message']}"[:200])
sys.exit(f"{len(wrong)} of {len(runs)} benchmarks failed" if wrong else 0)
PY
}
stage tests $build/tests/mien_cuda_test --gtest_brief=1
if [[ -z $gpu ]]; then
  stage benchmarks $build/bench/mien_cuda_bench "${quick[@]}" --list
  say "compute-sanitizer, PyTorch and the report: not run, no GPU"
else
  sanitized memcheck
  sanitized racecheck
  stage benchmarks $build/bench/mien_cuda_bench "${quick[@]}" --benchmark_out="$work/mien.json" \
    --benchmark_out_format=json
  check_results "$work/mien.json" || failed+=("results of benchmarks")
  keep "$work/mien.json"
  # It ends by itself while there is time to write what it has.
  stage pytorch python3 bench/cuda/torch_kernels.py "${quick[@]}" --out "$work/torch.json" \
    --seconds $((limit[pytorch] * 4 / 5))
  keep "$work/torch.json"
  name=$(tr -cs '[:alnum:]' - <<<"${gpu#NVIDIA }" | tr '[:upper:]' '[:lower:]')
  results=bench/results/${name%-}-$(date +%F)
  torch=none
  if [[ -s $work/torch.json ]]; then torch=$work/torch.json; fi
  stage report python3 bench/cuda/report.py "$work/mien.json" "$torch" --out-json "$results.json" \
    --out-markdown "$results.md"
  keep "$results.json"
  keep "$results.md"
fi

say "${failed[*]:+FAILED: }${failed[*]:-every stage that ran passed}"
if [[ -n $gpu && " ${failed[*]} " != *" report "* ]]; then cat "$work/report.log"; fi
[[ ${#failed[@]} -eq 0 ]]
