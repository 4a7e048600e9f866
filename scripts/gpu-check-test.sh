#!/usr/bin/env bash
# Runs gpu-check on an imaginary card, good and bad ones, and reads what it says; then
# the program that it built, which goes on with the processor where the card is bad.
#   CGO_CFLAGS=… CGO_LDFLAGS=… scripts/gpu-check-test.sh FAKE      (make test-cuda)
# FAKE is the folder of the libcuda.so.1 that scripts/fakecuda.sh builds. What is
# measured here means nothing, so figures are given, not taken.
set -euo pipefail
cd "$(dirname "$0")/.."
fake=$(realpath "$1")
pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT
cat >"$pages/figures" <<'END'
{"name":"cuda.forward.clip-vit-b32.bf16","value":2.5,"unit":"ms","bar":"<=2.6","peer":"","ratio":0}
{"name":"cuda.forward.clip-vit-b32.bf16.roofline","value":2,"unit":"ms","bar":"","peer":"","ratio":0}
{"name":"cuda.forward.clip-vit-b32.bf16.launches","value":68,"unit":"","bar":"","peer":"","ratio":0}
{"name":"cuda.kernel.gemm_bf16_64","value":1.5,"unit":"ms","bar":"","peer":"","ratio":0}
{"name":"cuda.kernel.gemm_bf16_64.roofline","value":1,"unit":"ms","bar":"","peer":"","ratio":0}
END
export KUAI_GPU_CASES='^TestDevice$/^(Norm|Softmax)'

# try STATUS TEXT... VARIABLE=VALUE... runs gpu-check and wants that end and those texts.
try() {
  local status=$1 wanted=() settings=() out end=0
  shift
  for argument in "$@"; do
    if [[ $argument =~ ^[A-Z_]+= ]]; then settings+=("$argument"); else wanted+=("$argument"); fi
  done
  out=$(env "${settings[@]}" KUAI_GPU_FIGURES="${figures-cat $pages/figures}" scripts/gpu-check.sh "$pages/gpu" 2>&1) || end=$?
  if [ "$end" != "$status" ]; then
    printf 'gpu-check with %s ended with %s, want %s:\n%s\n' "${settings[*]}" "$end" "$status" "$out" >&2
    exit 1
  fi
  for text in "${wanted[@]}"; do
    if ! grep -qF -- "$text" <<<"$out"; then
      printf 'gpu-check with %s did not say "%s":\n%s\n' "${settings[*]}" "$text" "$out" >&2
      exit 1
    fi
  done
  echo "ok: ${wanted[0]}"
}

if ! ldconfig -p | grep -q 'libcuda\.so\.1'; then # a machine without a driver
  try 1 "libcuda.so.1 was not found (is the NVIDIA driver installed?)" "make test-cuda checks the same kernels under emulation" LD_LIBRARY_PATH=
fi
card=LD_LIBRARY_PATH=$fake
try 1 "the driver is for CUDA 11.4, the kernels need 11.8 (install a newer driver; on a Jetson, JetPack 6)" KUAI_FAKE_VERSION=11040 "$card"
try 1 "Imaginary GPU is of compute capability 7.5, the kernels need 8.0 or newer" KUAI_FAKE_CAPABILITY=75 "$card"
try 1 "Imaginary GPU has 256 MB of memory, at least 512 are needed" KUAI_FAKE_TOTAL=268435456 "$card"
try 1 "Imaginary GPU is closed to compute processes (run: nvidia-smi -c DEFAULT)" KUAI_FAKE_MODE=2 "$card"
try 1 "the driver does not start: CUDA error 803 (run: nvidia-smi)" KUAI_FAKE_INIT=803 "$card"
try 1 "gpu-check: failed (" "not enough memory on the GPU" "the whole log is" KUAI_FAKE_MEMORY=1000 "$card"
try 1 "gpu-check: failed (" "the GPU is lost (CUDA error 700" KUAI_FAKE_LOST=3 "$card"
try 0 "gpu-check: passed; wrote $pages/gpu/imaginary-gpu.md" "the card is Imaginary GPU" "0 failed" "$card"
for text in "# Imaginary GPU" "Cases and whole models on the card: passed" "| clip-vit-b32.bf16 | 2.500 | 2.000 | 1.25 | 68 |" "| gemm_bf16_64 | 1.5000 | 1.0000 | 1.50 |"; do
  grep -qF -- "$text" "$pages/gpu/imaginary-gpu.md" || {
    echo "the page has no \"$text\":" >&2
    cat "$pages/gpu/imaginary-gpu.md" >&2
    exit 1
  }
done
figures=false try 1 "gpu-check: failed (kuai bench cuda ended with an error); wrote" "$card"

# encode TEXT COMMAND... runs kuai under a command, wants a line that has that text ("" for
# none), and wants what the processor finds.
encode() {
  local text=$1 out
  shift
  out=$("$@" build/kuai-cuda encode --model perception/encoder/testdata/clip --backend "${backend-cuda}" docs/page-phone.png "a red block" "a bowl" 2>"$pages/said")
  out=${out#*$'\n'} # without the milliseconds
  if [ "$out" != "${found=$out}" ] || [ "$(wc -l <"$pages/said")" -gt 2 ] || ! grep -qF -- "$text" <(cat "$pages/said" <([ "$text" ] || echo)); then
    printf 'kuai encode under %s gives %s and says\n%s\n, want %s and "%s"\n' "$*" "$out" "$(cat "$pages/said")" "$found" "$text" >&2
    exit 1
  fi
  echo "ok: kuai encode ${text:-on the card}"
}
backend=cpu encode ""
encode "" env "$card"
encode "the kernels need 11.8 (install a newer driver; on a Jetson, JetPack 6): the backend cpu computes" env "$card" KUAI_FAKE_VERSION=11040
encode "the kernels need 8.0 or newer: the backend cpu computes" env "$card" KUAI_FAKE_CAPABILITY=75
encode "graph clip image goes on with cpu: Imaginary GPU: 2176 bytes: not enough memory on the GPU" env "$card" KUAI_FAKE_MEMORY=1000
encode "goes on with cpu: Imaginary GPU: running graph clip text: the GPU is lost (CUDA error 700" env "$card" KUAI_FAKE_LOST=1
encode "another process has the card for itself (run: nvidia-smi -c DEFAULT): the backend cpu computes" flock "$pages/card" env "$card" KUAI_FAKE_MODE=3 KUAI_FAKE_LOCK="$pages/card"
