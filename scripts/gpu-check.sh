#!/usr/bin/env bash
# On a machine with a GPU: builds kuai for it, runs every case and whole models on
# the card, looks for races and bad accesses, measures each kernel beside its
# roofline (and torch), and writes a page.
#   CGO_CFLAGS=… CGO_LDFLAGS=… scripts/gpu-check.sh FOLDER      (make gpu-check)
# For its own test (scripts/gpu-check-test.sh, on an imaginary card) KUAI_GPU_CASES
# chooses the cases, and KUAI_GPU_FIGURES is a command that takes the place of the measuring.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1
go=${GO:-go}
cases=${KUAI_GPU_CASES:-^TestDevice}
figures_of=${KUAI_GPU_FIGURES:-build/kuai-cuda bench cuda --json}
mkdir -p build "$folder"

echo "gpu-check: building kuai for the GPU"
"$go" build -tags cuda -o build/kuai-cuda ./cmd/kuai
look=$(build/kuai-cuda doctor --json 2>/dev/null | grep '"what":"gpu"' || true)
if ! grep -q '"level":"good"' <<<"$look"; then
  {
    echo "gpu-check: this machine has no GPU that kuai can use:"
    sed -n 's/.*"detail":"\([^"]*\)".*/  \1/p' <<<"$look"
    echo "next: mend that, or run make gpu-check on a machine with an NVIDIA card of compute capability"
    echo "8.0 or newer (a Jetson Orin, for example) and a driver for CUDA 11.8 or newer. Without one,"
    echo "make test-cuda checks the same kernels under emulation."
  } >&2
  exit 1
fi
name=$(sed -n 's/.*"detail":"\([^,]*\),.*/\1/p' <<<"$look" | head -1)
echo "gpu-check: the card is $name"

for model in smollm2-135m-instruct whisper-base; do
  build/kuai-cuda models pull "$model" >/dev/null 2>&1 ||
    echo "gpu-check: $model is not there and cannot be fetched: its figures are left out (kuai models pull $model says why)"
done

echo "gpu-check: cases and whole models on the card"
"$go" test -tags cuda -c -o build/cuda.test ./kernels/cuda
log=$(mktemp)
verdict=passed
(cd kernels/cuda && KUAI_GPU=must ../../build/cuda.test -test.run "$cases" -test.v) >"$log" 2>&1 || verdict=failed
passed=$(grep -c '^ *--- PASS' "$log" || true)
failed=$(grep -c '^ *--- FAIL' "$log" || true)
if [ "$passed" = 0 ]; then verdict=failed; fi # nothing ran
echo "gpu-check: $verdict ($passed passed, $failed failed)"
if [ "$verdict" = failed ]; then
  grep -m 20 '^ *--- FAIL' "$log" || tail -20 "$log"
  echo "the first errors:"
  grep -m 10 -E '^ +[a-z_]+\.go:[0-9]+: ' "$log" || true
  echo "next: KUAI_GPU_STEP=1 make gpu-check names the operator of an error; the whole log is $log"
fi

sanitizer="compute-sanitizer is not installed"
if command -v compute-sanitizer >/dev/null; then
  echo "gpu-check: compute-sanitizer"
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
echo "gpu-check: $sanitizer"

echo "gpu-check: measuring"
figures=build/gpu.jsonl
if ! $figures_of >"$figures"; then
  verdict="failed (kuai bench cuda ended with an error)"
fi
python3 scripts/gpu_torch.py >>"$figures" || true
page="$folder/$(tr 'A-Z ' 'a-z-' <<<"$name" | tr -cd 'a-z0-9-').md"
python3 scripts/gpu_page.py "$name" "$verdict, $passed passed, $failed failed" "$sanitizer" <"$figures" >"$page"
echo "gpu-check: $verdict; wrote $page"
[ "$verdict" = passed ] || exit 1
echo "next: commit that page"
