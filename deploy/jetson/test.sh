#!/usr/bin/env bash
# Runs the unit tests of what commands the joints, and of the readable kernels,
# as arm64 programs: on the processor itself where it is one, else under qemu.
#   deploy/jetson/test.sh [PACKAGE...]
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/jetson/env.sh
lacks=$(missing)
[ -z "$lacks" ] || { printf 'jetson: missing:\n%s\n' "$lacks" >&2; exit 1; }

packages=("$@")
if [ ${#packages[@]} -eq 0 ]; then
  # The Gobot driver's tests need an AVR simulator of this architecture.
  mapfile -t packages < <("${GO:-go}" list -tags "$tags" ./robot ./kernels/ref ./policy/... ./actuation/... | grep -v -e /mutate -e actuation/gobot)
fi
mkdir -p "$jetson/tests"
failed=0
for package in "${packages[@]}"; do
  path=${package#github.com/kuai-robot/kuai/}
  path=${path#./}
  binary=$jetson/tests/${path//\//-}.test
  "${GO:-go}" test -c -tags "$tags" -o "$binary" "./$path"
  [ -x "$binary" ] || continue # it has no tests
  printf '%-28s ' "$path"
  # Timings of an emulated processor say nothing: -short leaves them out.
  if ! (cd "$path" && emulated "$binary" -test.short -test.timeout 10m); then failed=1; fi
done
# The cameras' other tests need programs of this architecture.
"${GO:-go}" test -c -tags "$tags" -o "$jetson/tests/camera.test" ./perception/camera
printf '%-28s ' perception/camera
(cd perception/camera && emulated "$jetson/tests/camera.test" -test.run 'V4L2|Layouts') || failed=1
exit $failed
