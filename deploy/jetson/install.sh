#!/usr/bin/env bash
# Installs the package in a Debian 11 for arm64 of its own, in a folder, looks at
# what it did, installs it once more, removes and purges it:
#   sudo deploy/jetson/install.sh [FOLDER]
#
# It needs root, debootstrap, and a kernel that runs arm64 programs: an arm64
# one, or one with binfmt_misc, where it registers qemu for as long as it runs.
# No systemd runs in there; what it would do with the unit, deploy's tests say.
set -euo pipefail

# A function, so that a change of this file does not reach a run under way.
main() {
  cd "$(dirname "$0")/../.."
  # Not below the repository: its /proc would be searched with it.
  root=$(realpath -m "${1:-${TMPDIR:-/tmp}/kuai-jetson-root}")
  package=$(realpath build/jetson/kuai.deb)
  [ "$(id -u)" = 0 ] || { echo "install: run it as root" >&2; exit 1; }
  for tool in debootstrap qemu-aarch64-static; do
    command -v $tool >/dev/null || { echo "install: $tool is missing (make test-deps)" >&2; exit 1; }
  done
  [ -e "$package" ] || { echo "install: build/jetson/kuai.deb is missing (make jetson)" >&2; exit 1; }

  undo=()
  trap 'for ((i = ${#undo[@]} - 1; i >= 0; i--)); do eval "${undo[i]}"; done' EXIT

  binfmt=/proc/sys/fs/binfmt_misc
  if [ "$(uname -m)" != aarch64 ] && [ ! -e $binfmt/qemu-aarch64 ]; then
    if [ ! -e $binfmt/register ]; then
      mount -t binfmt_misc none $binfmt
      undo+=("umount $binfmt")
    fi
    # An ELF file for AArch64; F: the emulator is opened now, so that it is found in there.
    printf '%s' ':qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:'"$(command -v qemu-aarch64-static)"':F' >$binfmt/register
    undo+=("echo -1 >$binfmt/qemu-aarch64")
  fi

  if [ ! -e "$root/.complete" ]; then
    # A release that has grown old moves to the archive.
    for mirror in ${DEBIAN_MIRROR:-http://deb.debian.org/debian http://archive.debian.org/debian}; do
      rm -rf "$root"
      if debootstrap --arch=arm64 --variant=minbase bullseye "$root" "$mirror"; then
        touch "$root/.complete"
        break
      fi
    done
    [ -e "$root/.complete" ] || { echo "install: no mirror has Debian 11 (set DEBIAN_MIRROR to one that has)" >&2; exit 1; }
  fi
  # The packages come the way they come on this machine.
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  cp /etc/apt/apt.conf.d/*proxy* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # no service starts in there
  chmod 0755 "$root/usr/sbin/policy-rc.d"
  cp "$package" "$root/kuai.deb"
  mount --bind /proc "$root/proc"
  undo+=("umount '$root/proc'")

  inside() { chroot "$root" /usr/bin/env DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
  check() { # what, command…
    local what=$1
    shift
    if "$@"; then echo "ok: $what"; else echo "FAILED: $what" >&2; failed=1; fi
  }
  says() { # text, command…
    local text=$1 out
    shift
    out=$("$@" 2>&1) || true
    [[ "$out" == *"$text"* ]] || { printf 'want %s in:\n%s\n' "$text" "$out" >&2; return 1; }
  }
  failed=0

  inside apt-get update -q
  inside apt-get install -y -q --no-install-recommends /kuai.deb
  check "the program starts" says "kuai " inside kuai version
  check "it finds its libraries" says "ok" inside sh -c '! ldd /usr/bin/kuai | grep "not found" && echo ok'
  check "the user has the devices' groups" says "dialout" inside id -nG kuai
  for group in video audio; do check "and $group" says "$group" inside id -nG kuai; done
  check "the user has no shell" says "/usr/sbin/nologin" inside getent passwd kuai
  check "passwords are not for everybody" says "root kuai 750" inside stat -c '%U %G %a' /etc/kuai
  check "nor is the configuration" says "root kuai 640" inside stat -c '%U %G %a' /etc/kuai/robot.yaml
  check "the configuration is read, as the service's user" says "driver: sim" inside setpriv --reuid kuai --regid kuai --init-groups kuai config --config /etc/kuai/robot.yaml
  check "a bus is let go, as after a crash" says "no servo bus" inside setpriv --reuid kuai --regid kuai --init-groups kuai release --bus --config /etc/kuai/robot.yaml
  check "the unit is where systemd looks" test -e "$root/usr/lib/systemd/system/kuai.service"
  check "dpkg finds every file as it was packed" says "done" inside sh -c 'dpkg -V kuai && echo done'

  echo '# mine' >>"$root/etc/kuai/robot.yaml"
  mkdir -p "$root/var/lib/kuai" && touch "$root/var/lib/kuai/calibration.yaml"
  inside apt-get install -y -q --reinstall --no-install-recommends /kuai.deb
  check "an upgrade keeps the configuration" grep -q '# mine' "$root/etc/kuai/robot.yaml"
  inside apt-get remove -y -q kuai
  check "removed, the calibration stays" test -e "$root/var/lib/kuai/calibration.yaml"
  check "and the program is gone" test ! -e "$root/usr/bin/kuai"
  inside apt-get purge -y -q kuai
  check "purged, nothing is left" test ! -e "$root/var/lib/kuai" -a ! -e "$root/etc/kuai/robot.yaml"
  check "not even the user" says "no user" inside sh -c 'getent passwd kuai || echo no user'
  exit $failed
}

main "$@"
