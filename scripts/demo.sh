#!/usr/bin/env bash
# Installs what is missing, builds mien, draws a few pictures, enlarges and analyses them.
#
# usage: scripts/demo.sh [OUT]      OUT: folder for the results, demo-output
#
# Weights are taken from the folder `weights` of the one that MIEN_DATA names: the first
# realesr-animevideov3.* and *va_mtl*. Without them the networks are freshly initialised.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-demo-output}
bin=build/release/bin

scripts/install_deps.sh
echo "building (log: build/demo-build.log)"
mkdir -p build
{ cmake --preset release -DMIEN_BUILD_TESTS=OFF && cmake --build --preset release; } >build/demo-build.log 2>&1 ||
  { tail -n 30 build/demo-build.log && exit 1; }

# The first file of that name among the trained weights; nothing where there is none.
first() { if [[ -n ${MIEN_DATA:-} && -d $MIEN_DATA/weights ]]; then find "$MIEN_DATA/weights" -name "$1" | sort | head -n 1; fi; }
upscale_weights=$(first 'realesr-animevideov3.pth')
analyze_weights=$(first '*va_mtl*.pt')

mkdir -p "$out"
$bin/mien-synth faces "$out" --count 6 --size 96
pictures=$out/images
if [[ -n ${MIEN_DATA:-} && -d $MIEN_DATA/images ]]; then pictures=$MIEN_DATA/images; fi
if [[ -z $upscale_weights || -z $analyze_weights ]]; then
  $bin/mien-synth networks "$out"
  echo "MIEN_DATA names no trained weights: freshly initialised networks show that the programs run, no more"
fi

echo
echo "mien-upscale: $out/images -> $out/upscaled"
$bin/mien-upscale -i "$out/images" -o "$out/upscaled" --json "$out/upscale.json" \
  --model_path "${upscale_weights:-$out/weights/upscale.safetensors}"
echo
echo "mien-analyze: $pictures (emotion, probability, valence, arousal)"
$bin/mien-analyze --weights "${analyze_weights:-$out/weights/analyze.safetensors}" "$pictures" | tee "$out/analysis.tsv"
echo
echo "Look at $out/upscaled (enlarged pictures), $out/upscale.json (report) and $out/analysis.tsv."
