"""Writes a libcuda.a to link with where there is no driver, and to start without one.

  libcuda.py cuda.h FOLDER [COMPILER]

Every function of cuda.h jumps to that of libcuda.so.1, which is looked for when the
program starts; without it, each returns CUDA_ERROR_NO_DEVICE. cuInit always succeeds,
because a library may end the process where it fails: kuai_cuda_status says what it
gave (-1: there is no driver).
"""

import os
import platform
import re
import subprocess
import sys

HEAD = """
#include <dlfcn.h>
#include <stddef.h>

static int no_device(void) { return 100; }
static int status = -1;
int kuai_cuda_status(void) { return status; }

#define COUNT %d
static const char *const names[COUNT] = {%s};
void *kuai_cuda_slots[COUNT];

__attribute__((constructor)) static void find(void) {
  void *driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
  for (int i = 0; i < COUNT; i++) {
    void *f = driver ? dlsym(driver, names[i]) : NULL;
    kuai_cuda_slots[i] = f ? f : (void *)no_device;
  }
  int (*init)(unsigned) = driver ? (int (*)(unsigned))dlsym(driver, "cuInit") : NULL;
  if (init) status = init(0);
}

int cuInit(unsigned flags) {
  (void)flags;
  return 0;
}
"""

JUMPS = {
    "amd64": "  jmp *kuai_cuda_slots+{at}(%rip)\\n",
    "arm64": "  adrp x16, kuai_cuda_slots+{at}\\n"
    "  ldr x16, [x16, :lo12:kuai_cuda_slots+{at}]\\n  br x16\\n",
}


def functions(header):
    """The names of all functions that cuda.h declares, with their versions."""
    with open(header) as f:
        text = f.read()
    declared = set(re.findall(r"CUDAAPI\s+(cu[A-Z]\w*)\s*\(", text))
    renamed = dict(
        re.findall(
            r"#define\s+(cu[A-Z]\w*)\s+(?:__CUDA_API_PTDS|__CUDA_API_PTSZ)?\(?(cu\w+)\)?\s*$",
            text,
            re.M,
        )
    )
    declared |= set(renamed.values()) | {renamed.get(name, name) for name in declared}
    return sorted(declared - {"cuInit"})


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    header, folder = sys.argv[1:3]
    compiler = sys.argv[3] if len(sys.argv) == 4 else "gcc"
    os.makedirs(folder, exist_ok=True)
    names = functions(header)
    source = HEAD % (len(names), ", ".join(f'"{n}"' for n in names))
    jump = JUMPS["arm64" if "aarch64" in compiler or platform.machine() == "aarch64" else "amd64"]
    for i, name in enumerate(names):
        code = jump.format(at=8 * i)
        source += (
            f'__asm__(".text\\n.globl {name}\\n.type {name}, %function\\n{name}:\\n{code}");\n'
        )
    path = os.path.join(folder, "libcuda")
    with open(path + ".c", "w") as f:
        f.write(source)
    subprocess.run([compiler, "-O1", "-fPIC", "-c", path + ".c", "-o", path + ".o"], check=True)
    if os.path.exists(path + ".a"):
        os.remove(path + ".a")
    subprocess.run(["ar", "rcs", path + ".a", path + ".o"], check=True)


if __name__ == "__main__":
    main()
