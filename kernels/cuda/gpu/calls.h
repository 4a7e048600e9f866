// The calls of the driver that gorgonia.org/cu lacks. Each makes the context current
// on the calling thread first, because goroutines change threads; each gives a
// CUresult. Pointers to host memory must have come from kuai_host_alloc.
#pragma once
#include <cuda.h>
#include <stddef.h>

// What initialising the driver gave; from the libcuda.a that kuai links with.
int kuai_cuda_status(void);

int kuai_host_alloc(CUcontext ctx, size_t bytes, void **host, CUdeviceptr *device);
int kuai_host_free(CUcontext ctx, void *host);
int kuai_alloc(CUcontext ctx, size_t bytes, CUdeviceptr *p);
int kuai_free(CUcontext ctx, CUdeviceptr p);
int kuai_upload(CUcontext ctx, CUdeviceptr to, const void *from, size_t bytes);
int kuai_download(CUcontext ctx, void *to, CUdeviceptr from, size_t bytes);
int kuai_copy(CUcontext ctx, CUdeviceptr to, CUdeviceptr from, size_t bytes);
int kuai_allow_shared(CUcontext ctx, CUfunction f, int bytes);

// One command of a recording.
typedef struct {
  int action;  // cuda.Action
  CUfunction function;
  unsigned grid[3], block, shared;
  void *params;  // of the kernel: one struct
  void *host;
  CUdeviceptr at;
  size_t bytes;
} kuai_command;

// kuai_issue puts a command on a stream.
int kuai_issue(CUcontext ctx, CUstream stream, const kuai_command *c);
int kuai_wait(CUcontext ctx, CUstream stream);
// kuai_capture makes a graph of commands; failed is the index of the one that is wrong.
int kuai_capture(CUcontext ctx, CUstream stream, const kuai_command *c, int count,
                 CUgraphExec *graph, int *failed);
int kuai_run(CUcontext ctx, CUstream stream, CUgraphExec graph);
int kuai_graph_free(CUcontext ctx, CUgraphExec graph);
// kuai_time runs a command some times and gives the milliseconds of one.
int kuai_time(CUcontext ctx, CUstream stream, const kuai_command *c, int times,
              float *milliseconds);
