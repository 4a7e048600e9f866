// A CUDA driver for one imaginary card, on the emulator: enough of libcuda for
// package gpu, so that its contexts, captures, graphs and errors are tested where
// there is no GPU. What it is and when it fails is in the environment:
//   KUAI_FAKE_INIT, _VERSION, _CAPABILITY, _UNIFIED, _MODE: what it says of itself
//   KUAI_FAKE_LOCK: a file; the process that has it has the card for itself
//   KUAI_FAKE_MEMORY: bytes that can be allocated
//   KUAI_FAKE_LOST: the graph launch, counted from 1, at which the card is lost
#include <cuda.h>
#include <fcntl.h>
#include <sys/file.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "runtime.h"

namespace {

std::mutex lock;  // the emulator has one block at a time
bool lost, started;
long launches, used;
std::map<CUdeviceptr, long> sizes;

long setting(const char* name, long otherwise) {
  const char* text = getenv(name);
  return text ? atol(text) : otherwise;
}

struct Command {
  int action;
  const emulate::Kernel* kernel;
  dim3_ grid;
  unsigned block, shared;
  std::string params;
  void* to;
  const void* from;
  size_t bytes;
};

struct Stream {
  bool capturing = false;
  std::vector<Command> commands;
};

struct Module {
  std::string ptx;
};

int run(const Command& c) {
  if (c.action == 0) {
    std::string error = emulate::launch(*c.kernel, c.grid, c.block, c.shared, c.params.data());
    if (error.empty()) return CUDA_SUCCESS;
    fprintf(stderr, "fake driver: %s\n", error.c_str());
    return CUDA_ERROR_LAUNCH_FAILED;
  }
  memcpy(c.to, c.from, c.bytes);
  if (c.action == 1) emulate::mark_written(c.to, c.bytes);
  return CUDA_SUCCESS;
}

CUresult issue(CUstream stream, Command c) {
  std::lock_guard<std::mutex> hold(lock);
  Stream* s = (Stream*)stream;
  if (lost) return CUDA_ERROR_ILLEGAL_ADDRESS;
  if (s && s->capturing) {
    s->commands.push_back(std::move(c));
    return CUDA_SUCCESS;
  }
  return (CUresult)run(c);
}

CUresult copy(int action, void* to, const void* from, size_t bytes, CUstream stream) {
  void* device = action == 1 ? to : (void*)from;
  if (!emulate::device_owns(device, bytes)) return CUDA_ERROR_INVALID_VALUE;
  return issue(stream, {action, nullptr, {}, 0, 0, "", to, from, bytes});
}

}  // namespace

extern "C" {
CUresult cuInit(unsigned) {
  if (!started) emulate::memory_init();
  started = true;
  return (CUresult)setting("KUAI_FAKE_INIT", 0);
}
CUresult cuDriverGetVersion(int* v) {
  return *v = setting("KUAI_FAKE_VERSION", 12040), CUDA_SUCCESS;
}
CUresult cuDeviceGetCount(int* n) { return *n = 1, CUDA_SUCCESS; }
CUresult cuDeviceGet(CUdevice* d, int) { return *d = 0, CUDA_SUCCESS; }
CUresult cuDeviceGetName(char* name, int size, CUdevice) {
  snprintf(name, size, "Imaginary GPU");
  return CUDA_SUCCESS;
}
CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice) {
  return *bytes = setting("KUAI_FAKE_TOTAL", 2l << 30), CUDA_SUCCESS;
}
CUresult cuDeviceGetAttribute(int* v, CUdevice_attribute a, CUdevice) {
  long capability = setting("KUAI_FAKE_CAPABILITY", 87);
  switch (a) {
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
      *v = capability / 10;
      break;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
      *v = capability % 10;
      break;
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
      *v = 8;
      break;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN:
      *v = 163 << 10;
      break;
    case CU_DEVICE_ATTRIBUTE_INTEGRATED:
      *v = setting("KUAI_FAKE_UNIFIED", 0);
      break;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_MODE:
      *v = setting("KUAI_FAKE_MODE", 0);
      break;
    default:
      *v = 1;
  }
  return CUDA_SUCCESS;
}
CUresult cuDevicePrimaryCtxRetain(CUcontext* c, CUdevice) {
  if (const char* path = getenv("KUAI_FAKE_LOCK")) {  // held as long as the process lives
    static int file = open(path, O_CREAT | O_RDWR, 0600);
    if (file < 0 || flock(file, LOCK_EX | LOCK_NB)) return CUDA_ERROR_DEVICE_UNAVAILABLE;
  }
  return *c = (CUcontext)&lock, CUDA_SUCCESS;
}
CUresult cuCtxSetCurrent(CUcontext c) {
  return c == (CUcontext)&lock ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
}

CUresult cuMemAlloc_v2(CUdeviceptr* p, size_t bytes) {
  std::lock_guard<std::mutex> hold(lock);
  if (used + (long)bytes > setting("KUAI_FAKE_MEMORY", 2l << 30)) return CUDA_ERROR_OUT_OF_MEMORY;
  *p = (CUdeviceptr)emulate::device_alloc(bytes);
  if (!*p) return CUDA_ERROR_OUT_OF_MEMORY;
  used += sizes[*p] = bytes;
  return CUDA_SUCCESS;
}
CUresult cuMemFree_v2(CUdeviceptr p) {
  std::lock_guard<std::mutex> hold(lock);
  used -= sizes[p];
  sizes.erase(p);
  return emulate::device_free((void*)p) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}
CUresult cuMemHostAlloc(void** p, size_t bytes, unsigned) {
  std::lock_guard<std::mutex> hold(lock);
  *p = emulate::device_alloc(bytes);
  if (*p) emulate::mark_written(*p, bytes);
  return *p ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}
CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* d, void* p, unsigned) {
  return *d = (CUdeviceptr)p, CUDA_SUCCESS;
}
CUresult cuMemFreeHost(void* p) {
  std::lock_guard<std::mutex> hold(lock);
  return emulate::device_free(p) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}
CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, size_t n) {
  return copy(1, (void*)to, from, n, nullptr);
}
CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, size_t n) {
  return copy(2, to, (void*)from, n, nullptr);
}
CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t n) {
  if (!emulate::device_owns((void*)from, n)) return CUDA_ERROR_INVALID_VALUE;
  return copy(1, (void*)to, (void*)from, n, nullptr);
}
CUresult cuCtxSynchronize() { return lost ? CUDA_ERROR_ILLEGAL_ADDRESS : CUDA_SUCCESS; }
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t n, CUstream s) {
  return copy(1, (void*)to, from, n, s);
}
CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t n, CUstream s) {
  return copy(2, to, (void*)from, n, s);
}

CUresult cuModuleLoadData(CUmodule* m, const void* image) {
  std::string ptx = (const char*)image;
  if (ptx.find(".target sm_80") == std::string::npos) return CUDA_ERROR_INVALID_IMAGE;
  *m = (CUmodule) new Module{ptx};
  return CUDA_SUCCESS;
}
CUresult cuModuleGetFunction(CUfunction* f, CUmodule m, const char* name) {
  *f = (CUfunction)emulate::find_kernel(name);
  bool compiled = ((Module*)m)->ptx.find(".entry " + std::string(name) + "(") != std::string::npos;
  return *f && compiled ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}
CUresult cuFuncSetAttribute(CUfunction, CUfunction_attribute, int bytes) {
  return bytes >= 0 && bytes <= 163 << 10 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult cuStreamCreate(CUstream* s, unsigned) { return *s = (CUstream) new Stream, CUDA_SUCCESS; }
CUresult cuStreamDestroy_v2(CUstream s) { return delete (Stream*)s, CUDA_SUCCESS; }
CUresult cuStreamSynchronize(CUstream) { return lost ? CUDA_ERROR_ILLEGAL_ADDRESS : CUDA_SUCCESS; }
CUresult cuStreamBeginCapture_v2(CUstream s, CUstreamCaptureMode) {
  ((Stream*)s)->capturing = true;
  ((Stream*)s)->commands.clear();
  return CUDA_SUCCESS;
}
CUresult cuStreamEndCapture(CUstream s, CUgraph* g) {
  ((Stream*)s)->capturing = false;
  *g = (CUgraph) new std::vector<Command>(((Stream*)s)->commands);
  return CUDA_SUCCESS;
}
CUresult cuGraphInstantiateWithFlags(CUgraphExec* e, CUgraph g, unsigned long long) {
  *e = (CUgraphExec) new std::vector<Command>(*(std::vector<Command>*)g);
  return CUDA_SUCCESS;
}
CUresult cuGraphLaunch(CUgraphExec e, CUstream) {
  std::lock_guard<std::mutex> hold(lock);
  if (++launches == setting("KUAI_FAKE_LOST", -1)) lost = true;
  if (lost) return CUDA_ERROR_ILLEGAL_ADDRESS;
  for (auto& c : *(std::vector<Command>*)e)
    if (int error = run(c)) return (CUresult)error;
  return CUDA_SUCCESS;
}
CUresult cuGraphDestroy(CUgraph g) { return delete (std::vector<Command>*)g, CUDA_SUCCESS; }
CUresult cuGraphExecDestroy(CUgraphExec e) { return delete (std::vector<Command>*)e, CUDA_SUCCESS; }

CUresult cuLaunchKernel(CUfunction f, unsigned x, unsigned y, unsigned z, unsigned bx, unsigned by,
                        unsigned bz, unsigned shared, CUstream s, void** params, void**) {
  auto k = (const emulate::Kernel*)f;
  if (by != 1 || bz != 1 || bx > k->threads || shared > 163 << 10) return CUDA_ERROR_INVALID_VALUE;
  return issue(s, {0,
                   k,
                   {x, y, z},
                   bx,
                   shared,
                   std::string((const char*)params[0], k->params),
                   nullptr,
                   nullptr,
                   0});
}

CUresult cuEventCreate(CUevent* e, unsigned) { return *e = (CUevent)&lock, CUDA_SUCCESS; }
CUresult cuEventRecord(CUevent, CUstream) { return CUDA_SUCCESS; }
CUresult cuEventSynchronize(CUevent) { return CUDA_SUCCESS; }
CUresult cuEventElapsedTime(float* ms, CUevent, CUevent) { return *ms = 1, CUDA_SUCCESS; }
CUresult cuEventDestroy_v2(CUevent) { return CUDA_SUCCESS; }
}
