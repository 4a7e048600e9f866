#!/usr/bin/env bash
# On a machine with a GPU: builds kuai for it, runs every case and whole models on
# the card, looks for races and bad accesses, measures each kernel beside its
# roofline (and torch), and writes a page.
#   CGO_CFLAGS=… CGO_LDFLAGS=… scripts/gpu-check.sh FOLDER      (make gpu-check)
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1
go=${GO:-go}
mkdir -p build "$folder"

"$go" build -tags cuda -o build/kuai-cuda ./cmd/kuai
look=$(build/kuai-cuda doctor --json 2>/dev/null | grep '"what":"gpu"' || true)
if ! grep -q '"level":"good"' <<<"$look"; then
  echo "gpu-check: this machine has no GPU that kuai can use:" >&2
  sed -n 's/.*"detail":"\([^"]*\)".*/  \1/p' <<<"$look" >&2
  echo "next: run make gpu-check on a machine with an NVIDIA card of compute capability 8.0 or newer" >&2
  echo "(a Jetson Orin, for example) and a driver for CUDA 11.8 or newer; without one, make test-cuda" >&2
  echo "checks the same kernels under emulation." >&2
  exit 1
fi
name=$(sed -n 's/.*"detail":"\([^,]*\),.*/\1/p' <<<"$look" | head -1)
echo "GPU: $name"

"$go" test -tags cuda -c -o build/cuda.test ./kernels/cuda
log=$(mktemp)
verdict=passed
(cd kernels/cuda && KUAI_GPU=must ../../build/cuda.test -test.run '^TestDevice' -test.v) >"$log" 2>&1 || verdict=failed
passed=$(grep -c '^ *--- PASS' "$log" || true)
failed=$(grep -c '^ *--- FAIL' "$log" || true)
echo "cases and models: $verdict ($passed passed, $failed failed)"
[ "$verdict" = passed ] || grep -A3 '^ *--- FAIL' "$log" | head -60

sanitizer="compute-sanitizer is not installed"
if command -v compute-sanitizer >/dev/null; then
  sanitizer=""
  for tool in memcheck racecheck initcheck synccheck; do
    if (cd kernels/cuda && KUAI_GPU=must compute-sanitizer --tool "$tool" --error-exitcode 9 \
      ../../build/cuda.test -test.run 'TestDevice/(graph|Attention/cached|MatMul/q4_1|Norm)') >"$log.$tool" 2>&1; then
      sanitizer+="$tool: clean; "
    else
      sanitizer+="$tool: **errors**; "
      verdict=failed
      tail -20 "$log.$tool"
    fi
  done
fi
echo "$sanitizer"

figures=build/gpu.jsonl
build/kuai-cuda bench cuda --json >"$figures"
python3 scripts/gpu_torch.py >>"$figures" || true
page="$folder/$(tr 'A-Z ' 'a-z-' <<<"$name" | tr -cd 'a-z0-9-').md"
python3 scripts/gpu_page.py "$name" "$verdict, $passed passed, $failed failed" "$sanitizer" <"$figures" >"$page"
echo "wrote $page"
[ "$verdict" = passed ]
