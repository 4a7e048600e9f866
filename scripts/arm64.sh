#!/usr/bin/env bash
# Builds the tests of the kernels for arm64 and runs them: on the processor
# itself where it is one, else under qemu: a processor that has everything, one
# of a Jetson's age (dot products, f16), and one of the first arm64.
#   scripts/arm64.sh [TEST-FLAG...]
set -euo pipefail
cd "$(dirname "$0")/.."

out=build/arm64
mkdir -p "$out"
build=(env CGO_ENABLED=1 GOOS=linux GOARCH=arm64)
[ "$(uname -m)" = aarch64 ] || build+=(CC=aarch64-linux-gnu-gcc)
for package in kernels kernels/ref kernels/cpu; do
  "${build[@]}" "${GO:-go}" test -c -o "$out/${package//\//-}.test" "./$package"
done

run() { # processor, or nothing for this one; package; flags
  local cpu=$1 package=$2 test=$PWD/$out/${2//\//-}.test emulator=()
  shift 2
  [ -x "$test" ] || return 0 # a package without tests
  echo "$package on ${cpu:-this processor}"
  [ -z "$cpu" ] || emulator=(qemu-aarch64-static -cpu "$cpu" -L /usr/aarch64-linux-gnu)
  # Test data lies beside the sources.
  (cd "$package" && "${emulator[@]}" "$test" -test.timeout 20m "$@")
}

cpus=(max cortex-a76 cortex-a53)
[[ " $* " != *" -test.short "* ]] || cpus=(max cortex-a53) # max runs the levels of all
[ "$(uname -m)" != aarch64 ] || cpus=("")
for cpu in "${cpus[@]}"; do
  run "$cpu" kernels "$@"
  run "$cpu" kernels/cpu "$@"
done
run "${cpus[0]}" kernels/ref "$@"
