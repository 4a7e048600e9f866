"""Compiles the CUDA kernels with NVRTC to the PTX that kuai embeds, and assembles it.

  ptx.py write FOLDER   compiles every .cu of kernels/cuda into FOLDER
  ptx.py check FOLDER   compiles them and compares with what is in FOLDER

The PTX is for compute_80, which every later card runs. It must be the same for
compute_87 and compute_90 (otherwise those need files of their own), and ptxas must
take it for sm_87 and sm_90 without a spill. FOLDER/kernels.json keeps what ptxas
says of each kernel, and the hash of the sources and the version of the compiler,
which a test compares without any of these tools.
"""

import ctypes
import glob
import hashlib
import json
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile

BASE, CHECKED, VERSION = 80, (87, 90), "7.8"
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOURCES = os.path.join(ROOT, "kernels", "cuda")


def nvidia(*path):
    """A file of the NVIDIA packages in the Python that runs this."""
    pattern = os.path.join(sysconfig.get_paths()["purelib"], "nvidia", *path)
    found = sorted(glob.glob(pattern))
    if not found:
        sys.exit(f"{pattern} is missing: run make cuda-deps")
    return found[0]


class Compiler:
    """NVRTC, through its C interface."""

    def __init__(self):
        self.lib = ctypes.CDLL(nvidia("cuda_nvrtc", "lib", "libnvrtc.so.*"))
        major, minor = ctypes.c_int(), ctypes.c_int()
        self.lib.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
        self.version = f"NVRTC {major.value}.{minor.value}"

    def text(self, program, kind):
        size = ctypes.c_size_t()
        getattr(self.lib, f"nvrtcGet{kind}Size")(program, ctypes.byref(size))
        out = ctypes.create_string_buffer(size.value)
        getattr(self.lib, f"nvrtcGet{kind}")(program, out)
        return out.value.decode()

    def compile(self, path, capability):
        name = os.path.basename(path)
        with open(path, "rb") as f:
            source = f.read()
        program = ctypes.c_void_p()
        self.lib.nvrtcCreateProgram(ctypes.byref(program), source, name.encode(), 0, None, None)
        options = [f"--gpu-architecture=compute_{capability}", f"-I{SOURCES}"]
        options += ["-std=c++17", "-default-device"]
        array = (ctypes.c_char_p * len(options))(*[o.encode() for o in options])
        failed = self.lib.nvrtcCompileProgram(program, len(options), array)
        log = self.text(program, "ProgramLog").strip()
        if failed:
            sys.exit(f"{name}: {log}")
        if log:
            print(log)
        ptx = plain(self.text(program, "PTX"))
        self.lib.nvrtcDestroyProgram(ctypes.byref(program))
        return ptx


def plain(ptx):
    """PTX without what changes from run to run, for drivers since CUDA 11.8.

    Calls are numbered through the life of the process, in comments. The version is
    that of the compiler; the only newer thing in the text is a hint about loads.
    """
    ptx = re.sub(r" // callseq.*", "", ptx)
    ptx = re.sub(r'(?m)^\s*\.pragma "used_bytes_mask .*\n', "", ptx)
    return re.sub(r"(?m)^\.version .*$", f".version {VERSION}", ptx)


def without_target(ptx):
    return re.sub(r"(?m)^\.target .*$", "", ptx)


USAGE = re.compile(
    r"Compiling entry function '(\w+)' for 'sm_\d+'.*?(\d+) bytes stack frame, "
    r"(\d+) bytes spill stores, "
    r"(\d+) bytes spill loads.*?Used (\d+) registers(?:.*?, (\d+) bytes smem)?[^\n]*",
    re.S,
)


def assemble(path, capability):
    """What ptxas says of each kernel of a PTX file."""
    ptxas = nvidia("cuda_nvcc", "bin", "ptxas")
    command = [ptxas, "-v", f"-arch=sm_{capability}", path, "-o", os.devnull]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{path}: {done.stderr}")
    out = {}
    for name, _, stores, loads, registers, shared in USAGE.findall(done.stderr):
        spills = int(stores) + int(loads)
        out[name] = {"registers": int(registers), "shared": int(shared or 0), "spills": spills}
    return out


def threads(ptx):
    """The bound of threads of each kernel."""
    return {
        name: int(n) for name, n in re.findall(r"\.entry (\w+)\([^)]*\)\s*\.maxntid (\d+)", ptx)
    }


def digest(paths):
    h = hashlib.sha256()
    for path in sorted(paths):
        with open(path, "rb") as f:
            content = f.read()
        h.update(f"{os.path.basename(path)} {len(content)}\n".encode())
        h.update(content)
    return h.hexdigest()


def one(source, folder):
    """Compiles and checks one file; what is known of its kernels."""
    compiler = Compiler()
    ptx = compiler.compile(source, BASE)
    path = os.path.join(folder, os.path.basename(source)[:-3] + ".ptx")
    with open(path, "w") as f:
        f.write(ptx)
    kernels = {k: {"file": os.path.basename(path), "threads": n} for k, n in threads(ptx).items()}
    for capability in CHECKED:
        if without_target(compiler.compile(source, capability)) != without_target(ptx):
            sys.exit(
                f"{source}: the PTX for compute_{capability} differs from that for compute_{BASE}: "
                "it needs a file of its own"
            )
        for name, usage in assemble(path, capability).items():
            kernels[name][f"sm_{capability}"] = usage
            if usage["spills"]:
                sys.exit(f"{name} spills {usage['spills']} bytes of registers on sm_{capability}")
    return kernels


def build(folder):
    sources = sorted(glob.glob(os.path.join(SOURCES, "*.cu")))
    kernels = {}
    with multiprocessing.Pool() as pool:
        for part in pool.starmap(one, [(s, folder) for s in sources]):
            kernels.update(part)
    about = {
        "compiler": Compiler().version,
        "sources": digest(sources + glob.glob(os.path.join(SOURCES, "*.h"))),
        "ptx": digest(glob.glob(os.path.join(folder, "*.ptx"))),
        "kernels": dict(sorted(kernels.items())),
    }
    with open(os.path.join(folder, "kernels.json"), "w") as f:
        json.dump(about, f, indent=1)
        f.write("\n")


def same(a, b):
    if not (os.path.exists(a) and os.path.exists(b)):
        return False
    with open(a) as x, open(b) as y:
        return x.read() == y.read()


def replace(new, old):
    """Puts a file in the place of another, which goes where there is no new one."""
    if os.path.exists(new):
        shutil.copyfile(new, old)
    else:
        os.remove(old)


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("write", "check"):
        sys.exit(__doc__)
    action, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory() as fresh:
        build(fresh)
        names = sorted(set(os.listdir(fresh)) | set(os.listdir(folder)))
        for name in names:
            if action == "write":
                replace(os.path.join(fresh, name), os.path.join(folder, name))
            elif not same(os.path.join(fresh, name), os.path.join(folder, name)):
                path = os.path.join(folder, name)
                sys.exit(f"{path} is not what the sources give: run make ptx")


if __name__ == "__main__":
    main()
