#!/usr/bin/env bash
# Brings what kuai needs and the machine lacks: Debian or Ubuntu packages and
# MuJoCo. Prints what and why; does nothing when all is there.
#   scripts/deps.sh run [test]
#   scripts/deps.sh mujoco amd64|arm64
set -euo pipefail
cd "$(dirname "$0")/.."

# package | command or file that shows it is there | why
run_packages='
gcc|gcc|compiles the kernels and the bindings
g++|g++|compiles the camera bindings
pkg-config|pkg-config|finds the libraries below
python3-pip|@python3 -m pip --version|brings MuJoCo and model weights
libopencv-dev|/usr/include/opencv4/opencv2/core.hpp|USB and file cameras (OpenCV)
libavcodec-dev|@pkg-config --exists libavcodec|decodes H.264 and H.265 cameras (FFmpeg)
libavformat-dev|@pkg-config --exists libavformat|writes and reads the videos of datasets (FFmpeg)
libswscale-dev|@pkg-config --exists libswscale|turns their pictures into RGB (FFmpeg)
libswresample-dev|@pkg-config --exists libswresample|changes the rate of sound (FFmpeg)
libjpeg-dev|@pkg-config --exists libjpeg|decodes and encodes JPEG pictures (libjpeg-turbo)
opencv-data|/usr/share/opencv4/haarcascades/haarcascade_frontalface_alt2.xml|finds the faces that an anonymised dataset hides
espeak-ng|espeak-ng|speaks what kuai answers, and plays people in the simulated room
libosmesa6-dev|/usr/include/GL/osmesa.h|renders the simulated cameras without a screen
'
test_packages='
mosquitto|/usr/sbin/mosquitto|a second MQTT broker to test against
mosquitto-clients|mosquitto_pub|an MQTT client to test against
ffmpeg|ffmpeg|an RTSP peer to test against
gcc-avr|avr-gcc|compiles the firmware
avr-libc|/usr/lib/avr/include/avr/io.h|compiles the firmware
libsimavr-dev|/usr/include/simavr/sim_avr.h|runs the firmware in simulation
libelf-dev|/usr/include/libelf.h|loads the firmware into the simulation
flite|flite|a second synthesizer, for the stop words that are trained and tested with
asterisk-core-sounds-en-wav|/usr/share/asterisk/sounds/en_US_f_Allison|human recordings that hold no stop word
pocketsphinx-testdata|/usr/share/pocketsphinx/test/data|human recordings
chromium|chromium|looks at the page
clang-format|clang-format|formats the C sources
gcc-aarch64-linux-gnu|aarch64-linux-gnu-gcc|compiles the kernels for Arm
libc6-dev-arm64-cross|/usr/aarch64-linux-gnu/include/stdio.h|the C library they are compiled with
qemu-user-static|qemu-aarch64-static|runs them where the processor is another one
debootstrap|/usr/sbin/debootstrap|a small arm64 system to install the package for a Jetson in
'

present() {
  case "$1" in
    @*) ${1#@} >/dev/null 2>&1 ;;
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

apt_install() {
  local missing=() name probe why
  while IFS='|' read -r name probe why; do
    [ -n "$name" ] || continue
    present "$probe" && continue
    [ ${#missing[@]} -gt 0 ] || echo "kuai needs system packages that are not installed:"
    printf '  %-24s %s\n' "$name" "$why"
    missing+=("$name")
  done <<<"$1"
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || {
    echo "no apt-get here: install the packages above with your system's package manager" >&2
    exit 1
  }
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "run as root: apt-get install ${missing[*]}" >&2; exit 1; }
    sudo=(sudo)
  fi
  "${sudo[@]}" apt-get update -q
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
}

mujoco_version=3.17.0
mujoco_wheel() { # architecture → platform tag and sha256 of the wheel
  case "$1" in
    amd64) echo manylinux_2_28_x86_64 d66928d86a2d1b601bbaa4dc11db50214d17d5301bb8afd84721313b67ff0874 ;;
    arm64) echo manylinux_2_28_aarch64 91a70ed9979c383ff1f5c03f25cc2e1280a8254c1a8e558d5dd7f4184f01efc9 ;;
    *) echo "no MuJoCo for $1" >&2; exit 1 ;;
  esac
}

# MuJoCo's library and headers lie in the Python package; any of its wheels has
# the same ones, so one is named and checked whatever Python is installed.
mujoco() {
  local arch=$1 dir=.deps/$1/mujoco tag sha wheels
  [ ! -e "$dir/lib/libmujoco.so.$mujoco_version" ] || return 0
  read -r tag sha < <(mujoco_wheel "$arch")
  echo "MuJoCo $mujoco_version ($arch): physics and rendering of the simulated robot"
  wheels=$(mktemp -d)
  python3 -m pip download --no-deps --only-binary=:all: --python-version 3.11 \
    --implementation cp --abi cp311 --platform "$tag" -d "$wheels" "mujoco==$mujoco_version"
  echo "$sha  $(ls "$wheels"/*.whl)" | sha256sum --check --quiet
  python3 - "$wheels"/*.whl "$dir" "$mujoco_version" <<'PY'
import pathlib, sys, zipfile

wheel, target, version = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
library = f"libmujoco.so.{version}"
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        path = pathlib.PurePosixPath(name)
        if path.name == library:
            out = target / "lib" / (library + ".part")
        elif path.parts[:3] == ("mujoco", "include", "mujoco") and path.suffix == ".h":
            out = target.joinpath(*path.parts[1:])
        else:
            continue
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(archive.read(name))
lib = target / "lib"
(lib / "libmujoco.so").unlink(missing_ok=True)
(lib / "libmujoco.so").symlink_to(library)
(lib / (library + ".part")).rename(lib / library)
PY
  rm -r "$wheels"
}

case "${1:-} ${2:-}" in
  'mujoco amd64' | 'mujoco arm64') mujoco "$2"; exit ;;
  'run '*) ;;
  *) echo "usage: scripts/deps.sh run [test], or scripts/deps.sh mujoco amd64|arm64" >&2; exit 2 ;;
esac
apt_install "$run_packages"
[ "${2:-}" != test ] || apt_install "$test_packages"
mujoco "$(go env GOARCH)"
