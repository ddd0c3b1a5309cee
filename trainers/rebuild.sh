#!/bin/sh
# make weights GLAMI_MINI=glami-mini.zip TAXONOMY=taxonomy_names.csv.gz: every bundled weight, into assets/models/.
set -eu
bin=$1 photos=$2 names=$3
[ -f "$photos" ] && [ -f "$names" ] || {
  echo "Say where photos and names are: make weights GLAMI_MINI=glami-mini.zip TAXONOMY=taxonomy_names.csv.gz" >&2
  exit 1
}
"$bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-train.txt
home=$(mktemp -d)
export VITRINE_HOME="$home" OMP_NUM_THREADS=1
"$bin/python" -m trainers.imagenet
"$bin/python" -m core demo --name demo
"$bin/python" -m core import glami "$photos" --name glami-mini
"$bin/python" -m trainers.clip_lite --drawings demo --photos glami-mini --taxonomy "$names" --threads 1
cp "$home"/runs/clip-lite-tiny/model/* assets/models/clip-lite/
"$bin/python" -m core demo --name demo-words --items 24000 --seed 1
"$bin/python" -m trainers.clip --preset tiny --dataset demo-words --dataset glami-mini --dataset glami-mini --steps 3000 --threads 1
cp "$home"/runs/clip-tiny/model/* assets/models/clip-tiny/
"$bin/python" -m trainers.embracenet --preset lite --dataset demo --dataset glami-mini --image-weights imagenet --out "$home/runs/bundled" --cpu
"$bin/python" -m trainers.bundle "$home/runs/bundled" assets/models/embracenet-tiny
"$bin/python" -m trainers.shipped assets/models/embracenet-tiny --curves "$home/runs/bundled"
"$bin/python" -m trainers.translation --threads 1
cp "$home"/runs/translation-tiny/model/* assets/models/translation-tiny/
rm -rf "$home"
