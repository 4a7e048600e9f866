#!/usr/bin/env bash
# Builds a libcuda.so.1 of an imaginary card on the kernels' emulator, to test the
# host side of the CUDA backend without a GPU.
#   scripts/fakecuda.sh HEADERS FOLDER
set -euo pipefail
mkdir -p "$2/objects"
headers=$(realpath "$1") folder=$(realpath "$2")
cd "$(dirname "$0")/../kernels/cuda"
flags=(-std=c++17 -O2 -fPIC -fno-strict-aliasing -Wno-unknown-pragmas -DKUAI_EMULATE -I. -Iemulate/runtime -isystem "$headers")
for source in *.cu emulate/runtime/{runtime,memory,numbers}.cpp emulate/fake/*.cpp; do
  echo "$source"
done | xargs -P "$(nproc)" -I{} sh -c 'g++ "$@" -x c++ -c "{}" -o "'"$folder"'/objects/$(basename "{}").o"' - "${flags[@]}"
g++ -shared -o "$folder/libcuda.so.1" "$folder"/objects/*.o -ldl -lpthread
