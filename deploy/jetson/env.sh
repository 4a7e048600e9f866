# Sourced in the root of the repository: the settings with which go builds for
# a Jetson, and what must be there for it.
jetson=$PWD/build/jetson
sysroot=$jetson/sysroot
lib=$sysroot/usr/lib/aarch64-linux-gnu
# noopencv leaves OpenCV out, whose version differs between boards (cameras come
# through V4L2 itself); packaged looks for MuJoCo beside the program.
tags=noopencv,packaged
export CC=aarch64-linux-gnu-gcc CGO_ENABLED=1 GOOS=linux GOARCH=arm64
# What the cross compiler brings itself, a newer C library, must come second.
export CGO_CFLAGS="-O2 -g0 --sysroot=$sysroot -isystem $sysroot/usr/include -isystem $sysroot/usr/include/aarch64-linux-gnu"
export CGO_LDFLAGS="--sysroot=$sysroot -B$lib/ -L$lib -L$sysroot/lib/aarch64-linux-gnu -Wl,-rpath-link,$lib:$sysroot/lib/aarch64-linux-gnu -static-libgcc -L$PWD/.deps/arm64/mujoco/lib -Wl,-rpath,\$ORIGIN/../lib/kuai"
export PKG_CONFIG_SYSROOT_DIR=$sysroot PKG_CONFIG_LIBDIR=$lib/pkgconfig

# emulated runs an arm64 program, with the libraries that it will find there.
emulated() {
  if [ "$(uname -m)" = aarch64 ]; then "$@"; return; fi
  LD_LIBRARY_PATH="${jetson%/build/jetson}/.deps/arm64/mujoco/lib:$lib:$sysroot/lib/aarch64-linux-gnu" qemu-aarch64-static -L "$sysroot" "$@"
}

missing() {
  local tool
  for tool in aarch64-linux-gnu-gcc qemu-aarch64-static dpkg-deb; do
    command -v $tool >/dev/null || echo "$tool (make test-deps)"
  done
  [ -e "$sysroot/.packages" ] || echo "$sysroot (make jetson)"
  [ -e .deps/arm64/mujoco/lib/libmujoco.so ] || echo ".deps/arm64/mujoco (make jetson)"
}

# The GPU: make jetson brings CUDA's headers and a libcuda to link with; the board's
# driver is looked for when the program starts. gorgonia.org/cu asks for /usr/include
# with -I; named as a system folder too, it is searched last.
if [ -e build/cuda/arm64/libcuda.a ]; then
  tags=$tags,cuda
  headers=$(echo "$PWD"/.venv-cuda/lib/python3*/site-packages/nvidia/cuda_runtime/include)
  export CGO_CFLAGS="$CGO_CFLAGS -I$headers -isystem /usr/include" CGO_LDFLAGS="-L$PWD/build/cuda/arm64 $CGO_LDFLAGS"
fi
