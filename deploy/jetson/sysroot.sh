#!/usr/bin/env bash
# Unpacks what an arm64 kuai is linked with into a folder, for a compiler that
# runs here: no package of another architecture is installed.
#   deploy/jetson/sysroot.sh FOLDER
#
# The packages are those of Debian 11: its FFmpeg 4.3 has the library versions
# of JetPack 6 (Ubuntu 22.04, FFmpeg 4.4) and its C library is older, so what is
# linked with them runs there. libjpeg, whose version differs, is linked
# statically; OpenCV, whose version differs from board to board, not at all.
set -euo pipefail

release=bullseye
packages='libc6-dev libavformat-dev libavcodec-dev libswscale-dev libjpeg62-turbo-dev libosmesa6'
root=$(realpath -m "${1:?usage: $0 FOLDER}")
stamp="$root/.packages"

[ "$(cat "$stamp" 2>/dev/null)" != "$release $packages" ] || exit 0
for tool in apt-get dpkg-deb; do
  command -v $tool >/dev/null || { echo "jetson: $tool is missing: the sysroot is made of Debian packages, so make it on Debian or Ubuntu" >&2; exit 1; }
done
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e $keyring ] || { echo "jetson: $keyring is missing (apt-get install debian-archive-keyring)" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists,cache/archives}/partial
touch "$work/status"
cat >"$work/apt.conf" <<CONF
Dir::State "$work"; Dir::State::lists "$work/lists"; Dir::State::status "$work/status";
Dir::Cache "$work/cache"; Dir::Etc::sourcelist "$work/sources.list"; Dir::Etc::sourceparts "-";
APT::Architecture "arm64"; APT::Architectures { "arm64"; }; APT::Install-Recommends "false";
APT::Sandbox::User ""; Acquire::Languages "none"; Debug::NoLocking "true";
CONF
export APT_CONFIG="$work/apt.conf"

# The mirror that this machine uses, then Debian's own, then its archive.
mirrors() {
  [ -z "${DEBIAN_MIRROR:-}" ] || echo "$DEBIAN_MIRROR"
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null | grep -v '^#' | grep -oE 'https?://[^ ]*/debian/?( |$)' | head -1 || true
  echo http://deb.debian.org/debian
  echo http://archive.debian.org/debian
}
found=
for mirror in $(mirrors); do
  echo "deb [signed-by=$keyring check-valid-until=no] $mirror $release main" >"$work/sources.list"
  if apt-get update -qq -o APT::Update::Error-Mode=any 2>"$work/errors"; then found=$mirror; break; fi
done
[ -n "$found" ] || { cat "$work/errors" >&2; echo "jetson: no mirror has Debian's $release (set DEBIAN_MIRROR to one that has)" >&2; exit 1; }

echo "jetson: libraries for arm64, Debian $release ($packages)"
# shellcheck disable=SC2086 # a list of words
apt-get install -y -qq --download-only $packages >"$work/log" || { cat "$work/log" >&2; exit 1; }
rm -rf "$root.part"
mkdir -p "$root.part"
for package in "$work"/cache/archives/*.deb; do dpkg-deb -x "$package" "$root.part"; done
# Links that mean the sysroot would lead out of it.
find "$root.part" -type l -lname '/*' -printf '%p %l\n' | while read -r link target; do
  ln -sfn "$(realpath -m --relative-to="$(dirname "$link")" "$root.part$target")" "$link"
done
# Only the archive is left to link with (see above).
rm -f "$root.part"/usr/lib/aarch64-linux-gnu/libjpeg.so*
# Documentation and translations are no part of it.
rm -rf "$root.part"/usr/share/{doc,man,locale,icons,mime}
echo "$release $packages" >"$root.part/.packages"
rm -rf "$root"
mv "$root.part" "$root"
