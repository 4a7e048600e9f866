package mujoco

// The rpath lets bin/kuai and go test find the library where it was linked; the
// second one, relative to the binary, lets a checkout be moved.

/*
#cgo CFLAGS: -std=c11 -O2 -D_GNU_SOURCE
#cgo amd64 CFLAGS: -I${SRCDIR}/../../.deps/amd64/mujoco/include
#cgo arm64 CFLAGS: -I${SRCDIR}/../../.deps/arm64/mujoco/include
#cgo amd64,!packaged LDFLAGS: -L${SRCDIR}/../../.deps/amd64/mujoco/lib -Wl,-rpath,${SRCDIR}/../../.deps/amd64/mujoco/lib -Wl,-rpath,$ORIGIN/../.deps/amd64/mujoco/lib
#cgo arm64,!packaged LDFLAGS: -L${SRCDIR}/../../.deps/arm64/mujoco/lib -Wl,-rpath,${SRCDIR}/../../.deps/arm64/mujoco/lib -Wl,-rpath,$ORIGIN/../.deps/arm64/mujoco/lib
#cgo LDFLAGS: -lmujoco -ldl -lm
#include "shim.h"
*/
import "C"
