#!/bin/sh
# make weights GLAMI_MINI=glami-mini.zip TAXONOMY=taxonomy_names.csv.gz: every bundled weight, into assets/models/.
set -eu
bin=$1 photos=$2 taxonomy=$3
[ -f "$photos" ] && [ -f "$taxonomy" ] || {
  echo "Say where the data is: make weights GLAMI_MINI=glami-mini.zip TAXONOMY=taxonomy_names.csv.gz" >&2; exit 1; }
"$bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-train.txt
home=$(mktemp -d)
export VITRINE_HOME="$home" OMP_NUM_THREADS=1
"$bin/python" -m trainers.imagenet
"$bin/python" -m core demo --name demo
"$bin/python" -m core import glami "$photos" --name glami-mini
"$bin/python" -m trainers.clip_lite --drawings demo --photos glami-mini --taxonomy "$taxonomy" --threads 1 --cpu
for file in open_clip_model.safetensors open_clip_config.json tokenizer.json tokenizer_config.json seen.json; do
  cp "$home/runs/clip-lite-tiny/model/$file" assets/models/clip-tiny/
done
"$bin/python" -m trainers.embracenet --preset lite --dataset demo --dataset glami-mini --image-weights imagenet --out "$home/runs/bundled" --cpu
"$bin/python" -m trainers.bundle "$home/runs/bundled" assets/models/embracenet-tiny
rm -rf "$home"
