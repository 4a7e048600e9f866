#!/usr/bin/env bash
# Every linter over every file of its language; the first finding fails.
set -euo pipefail
cd "$(dirname "$0")/.."

unformatted=$(git ls-files '*.go' | xargs -r gofmt -l)
[ -z "$unformatted" ] || { echo "gofmt -w these:"; echo "$unformatted"; exit 1; }
go vet ./...
go tool staticcheck ./...

mapfile -t c_files < <(git ls-files '*.c' '*.h' '*.cc' '*.cu' '*.cuh')
[ ${#c_files[@]} -eq 0 ] || clang-format --dry-run --Werror "${c_files[@]}"

mapfile -t python_files < <(git ls-files '*.py')
if [ ${#python_files[@]} -gt 0 ]; then
  .venv/bin/ruff check --quiet "${python_files[@]}"
  .venv/bin/ruff format --quiet --check "${python_files[@]}"
fi
