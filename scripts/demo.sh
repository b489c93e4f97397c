#!/usr/bin/env bash
# Installs what is missing, builds mien, trains a network on drawn faces, shows what it says of the
# faces of other people, and enlarges some pictures. Takes some minutes.
#
# usage: scripts/demo.sh [--quick] [OUT]      OUT: folder for the results, demo-output
#   --quick   a tenth of the faces, two epochs: every step is taken, but the network has learned little
#
# Trained weights in the folder `weights` of the one that MIEN_DATA names are used too: the first
# realesr-animevideov3.pth enlarges, in place of a freshly initialised network, and the first
# *va_mtl*.pt analyses the faces in the folder `images` beside it.
set -euo pipefail
cd "$(dirname "$0")/.."
faces_drawn=6000 epochs=8 warmup=100
if [[ ${1:-} == --quick ]]; then
  faces_drawn=600 epochs=2 warmup=10
  shift
fi
out=${1:-demo-output}
data=${MIEN_DATA:-}
bin=build/release/bin
programs=(mien-synth mien-pretrain mien-analyze mien-upscale)
faces=$out/synthetic-affectnet
training=$out/pretraining

step() { # step TITLE COMMAND...: runs the command, says how long it took
  local title=$1 start=$SECONDS
  shift
  printf '\n==== %s\n' "$title"
  "$@"
  echo "==== $((SECONDS - start)) s"
}

build() {
  echo "log: build/demo-build.log"
  mkdir -p build
  { cmake --preset release && cmake --build --preset release --target "${programs[@]}"; } \
    >build/demo-build.log 2>&1 || { tail -n 30 build/demo-build.log && exit 1; }
}

draw() {
  rm -rf "$faces"
  $bin/mien-synth affectnet "$faces" --train $faces_drawn --val 400 --size 96 --no-2017 --no-2021
}

train() {
  rm -rf "$training"
  $bin/mien-pretrain "$faces" -o "$training" --size 96 --width 0.35 --depth 0.35 --dropout 0.1 \
    --head-epochs 0 --epochs $epochs --batch 16 --lr 3e-3 --schedule cosine --warmup $warmup \
    --cache memory
}

# Six held-out faces of each expression.
analyze() {
  mapfile -t images < <(
    for folder in "$faces"/full_res/val/*/; do find "$folder" -name '*.jpg' | sort | sed -n 1,6p; done
  )
  $bin/mien-analyze --weights "$training/model.safetensors" "${images[@]}" \
    --sheet "$out/sheet.svg" >"$out/analysis.tsv"
  sed -n 's/.*>\(.* expressions right\)<.*/\1/p' "$out/sheet.svg"
}

# The first file of that name among the trained weights; nothing where there is none.
trained() {
  if [[ -n $data && -d $data/weights ]]; then find "$data/weights" -name "$1" | sort | sed -n 1p; fi
}

enlarge() {
  local weights
  weights=$(trained realesr-animevideov3.pth)
  $bin/mien-synth faces "$out" --count 6 --size 96
  if [[ -z $weights ]]; then
    echo "MIEN_DATA names no trained weights: a freshly initialised network shows that it runs, no more"
    $bin/mien-synth networks "$out"
    weights=$out/weights/upscale.safetensors
  fi
  $bin/mien-upscale -i "$out/images" -o "$out/upscaled" --json "$out/upscale.json" \
    --model_path "$weights"
}

step "what mien is built with" scripts/install_deps.sh
step "building" build
mkdir -p "$out"
step "mien-synth draws $faces" draw
step "mien-pretrain trains on it from scratch: $training" train
step "mien-analyze: held-out faces of other people" analyze
step "mien-upscale: $out/images -> $out/upscaled" enlarge
real=$(trained '*va_mtl*.pt')
if [[ -n $real && -d $data/images ]]; then
  step "mien-analyze: $data/images -> $out/real_sheet.svg" \
    $bin/mien-analyze --weights "$real" "$data/images" --sheet "$out/real_sheet.svg"
fi

cat <<END

Look, in $out, at
  sheet.svg      held-out faces, what the network says of them, and what is true (as lines: analysis.tsv)
  pretraining/   how the training went: confusion.svg, evaluation.json, all/*.svg
  upscaled/      enlarged pictures (upscale.json)
END
