// clang-format off
//go:build cuda
//  clang-format on

#include "calls.h"

#define TRY(call)                           \
  do {                                      \
    CUresult r_ = (call);                   \
    if (r_ != CUDA_SUCCESS) return (int)r_; \
  } while (0)

int kuai_host_alloc(CUcontext ctx, size_t bytes, void **host, CUdeviceptr *device) {
  TRY(cuCtxSetCurrent(ctx));
  TRY(cuMemHostAlloc(host, bytes, CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP));
  return (int)cuMemHostGetDevicePointer(device, *host, 0);
}

int kuai_host_free(CUcontext ctx, void *host) {
  TRY(cuCtxSetCurrent(ctx));
  return (int)cuMemFreeHost(host);
}

int kuai_alloc(CUcontext ctx, size_t bytes, CUdeviceptr *p) {
  TRY(cuCtxSetCurrent(ctx));
  return (int)cuMemAlloc(p, bytes);
}

int kuai_free(CUcontext ctx, CUdeviceptr p) {
  TRY(cuCtxSetCurrent(ctx));
  return (int)cuMemFree(p);
}

int kuai_upload(CUcontext ctx, CUdeviceptr to, const void *from, size_t bytes) {
  TRY(cuCtxSetCurrent(ctx));
  return (int)cuMemcpyHtoD(to, from, bytes);
}

int kuai_download(CUcontext ctx, void *to, CUdeviceptr from, size_t bytes) {
  TRY(cuCtxSetCurrent(ctx));
  return (int)cuMemcpyDtoH(to, from, bytes);
}

int kuai_copy(CUcontext ctx, CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  TRY(cuCtxSetCurrent(ctx));
  TRY(cuMemcpyDtoD(to, from, bytes));  // does not wait for the copy, and our streams not for it
  return (int)cuCtxSynchronize();
}

int kuai_allow_shared(CUcontext ctx, CUfunction f, int bytes) {
  TRY(cuCtxSetCurrent(ctx));
  return (int)cuFuncSetAttribute(f, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, bytes);
}

int kuai_issue(CUcontext ctx, CUstream stream, const kuai_command *c) {
  TRY(cuCtxSetCurrent(ctx));
  void *params[1] = {c->params};
  switch (c->action) {
    case 0:
      return (int)cuLaunchKernel(c->function, c->grid[0], c->grid[1], c->grid[2], c->block, 1, 1,
                                 c->shared, stream, params, NULL);
    case 1:
      return (int)cuMemcpyHtoDAsync(c->at, c->host, c->bytes, stream);
    case 2:
      return (int)cuMemcpyDtoHAsync(c->host, c->at, c->bytes, stream);
  }
  return 0;
}

int kuai_wait(CUcontext ctx, CUstream stream) {
  TRY(cuCtxSetCurrent(ctx));
  return (int)cuStreamSynchronize(stream);
}

int kuai_capture(CUcontext ctx, CUstream stream, const kuai_command *c, int count,
                 CUgraphExec *graph, int *failed) {
  CUgraph captured = NULL;
  int error = 0;
  *failed = -1;
  TRY(cuCtxSetCurrent(ctx));
  TRY(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_RELAXED));
  for (int i = 0; i < count && !error; i++) {
    error = kuai_issue(ctx, stream, c + i);
    if (error) *failed = i;
  }
  CUresult ended = cuStreamEndCapture(stream, &captured);
  if (!error) error = (int)ended;
  if (!error) error = (int)cuGraphInstantiateWithFlags(graph, captured, 0);
  if (captured) cuGraphDestroy(captured);
  return error;
}

int kuai_run(CUcontext ctx, CUstream stream, CUgraphExec graph) {
  TRY(cuCtxSetCurrent(ctx));
  TRY(cuGraphLaunch(graph, stream));
  return (int)cuStreamSynchronize(stream);
}

int kuai_graph_free(CUcontext ctx, CUgraphExec graph) {
  TRY(cuCtxSetCurrent(ctx));
  return (int)cuGraphExecDestroy(graph);
}

int kuai_time(CUcontext ctx, CUstream stream, const kuai_command *c, int times,
              float *milliseconds) {
  CUevent begin, end;
  TRY(cuCtxSetCurrent(ctx));
  TRY(cuEventCreate(&begin, 0));
  TRY(cuEventCreate(&end, 0));
  TRY((CUresult)kuai_issue(ctx, stream, c));  // warm
  TRY(cuEventRecord(begin, stream));
  for (int i = 0; i < times; i++) TRY((CUresult)kuai_issue(ctx, stream, c));
  TRY(cuEventRecord(end, stream));
  TRY(cuEventSynchronize(end));
  TRY(cuEventElapsedTime(milliseconds, begin, end));
  *milliseconds /= times;
  cuEventDestroy(begin);
  return (int)cuEventDestroy(end);
}
