#!/usr/bin/env bash
# Cross-builds kuai for a Jetson and packs it:
#   deploy/jetson/package.sh VERSION    → build/jetson/kuai_VERSION_arm64.deb
set -euo pipefail
cd "$(dirname "$0")/../.."
version=${1:?usage: $0 VERSION}

deploy/jetson/sysroot.sh build/jetson/sysroot
scripts/deps.sh mujoco arm64
. deploy/jetson/env.sh
lacks=$(missing)
[ -z "$lacks" ] || { printf 'jetson: missing:\n%s\n' "$lacks" >&2; exit 1; }

echo "jetson: kuai $version for arm64"
"${GO:-go}" build -tags "$tags" -trimpath -ldflags "-s -w -X main.version=$version" -o "$jetson/kuai" ./cmd/kuai

root=$jetson/package
rm -rf "$root"
put() { install -D -m "$1" "$2" "$root/$3"; }
put 0755 "$jetson/kuai" usr/bin/kuai
put 0644 .deps/arm64/mujoco/lib/libmujoco.so.3.17.0 usr/lib/kuai/libmujoco.so.3.17.0
put 0644 deploy/systemd/kuai.service usr/lib/systemd/system/kuai.service
put 0644 deploy/udev/60-kuai.rules usr/lib/udev/rules.d/60-kuai.rules
put 0640 deploy/etc/robot.yaml etc/kuai/robot.yaml
put 0644 LICENSE usr/share/doc/kuai/copyright
for page in docs/*.md; do put 0644 "$page" "usr/share/doc/kuai/$(basename "$page")"; done
for script in postinst prerm postrm; do put 0755 deploy/debian/$script DEBIAN/$script; done
put 0644 deploy/debian/conffiles DEBIAN/conffiles

# A version must begin with a digit there, and a dash would begin a revision.
debian=$(echo "${version#v}" | tr - +)
[[ $debian =~ ^[0-9] ]] && [[ $debian == *.* ]] || debian=0~$debian
size=$(du -sk --exclude=DEBIAN "$root" | cut -f1)
sed "s/@VERSION@/$debian/; s/@SIZE@/$size/" deploy/debian/control.in >"$root/DEBIAN/control"
(cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\n' | sort | xargs md5sum >DEBIAN/md5sums)
find "$root" -type d -exec chmod 0755 {} +
# The program and MuJoCo compress well, and xz is what every dpkg can read.
dpkg-deb --root-owner-group -Zxz -z3 --build "$root" "$jetson/kuai_${debian}_arm64.deb"
ln -sfn "kuai_${debian}_arm64.deb" "$jetson/kuai.deb"
