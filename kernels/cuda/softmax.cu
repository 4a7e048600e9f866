// Softmax of rows, and log-probabilities of selected numbers of rows (the tokens
// of a trie): a block for each row, which is read and never written.
#include "device.h"

constexpr int softmax_threads = 256;

struct Softmax {
  Mat x, to;
  const int* scalars;
  int log, unused;
};

struct LogProb {
  Mat x;
  float* to;
  const int *rows, *cols;
  Dim n;
  const int* scalars;
};

// block_join combines one number of each warp.
__device__ inline float block_join(float v, bool sum) {
  SHARED(float, parts, softmax_threads / 32);
  v = sum ? warp_sum(v) : warp_max(v);
  __syncthreads();
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = v;
  __syncthreads();
  v = parts[0];
  for (int i = 1; i < softmax_threads / 32; i++) v = sum ? v + parts[i] : larger(v, parts[i]);
  return v;
}

__device__ inline void log_sum(const float* x, int cols, float& top, float& sum) {
  top = -INFINITY, sum = 0;
  for (int i = threadIdx.x; i < cols; i += softmax_threads) top = larger(top, x[i]);
  top = block_join(top, false);
  for (int i = threadIdx.x; i < cols; i += softmax_threads) sum += expf(x[i] - top);
  sum = block_join(sum, true);
}

KERNEL(softmax_rows, Softmax, softmax_threads, 4) {
  int row = blockIdx.x;
  if (row >= length(p.x.rows, p.scalars)) return;
  const float* x = (const float*)p.x.at + (long)row * p.x.ld;
  float* to = (float*)p.to.at + (long)row * p.to.ld;
  float top, sum;
  log_sum(x, p.x.cols, top, sum);
  float log_of = logf(sum);
  for (int i = threadIdx.x; i < p.x.cols; i += softmax_threads)
    to[i] = p.log ? x[i] - top - log_of : expf(x[i] - top) / sum;
}

KERNEL(logprob, LogProb, softmax_threads, 4) {
  int row = blockIdx.x, n = length(p.n, p.scalars);
  if (row >= length(p.x.rows, p.scalars)) return;
  bool wanted = false;
  for (int i = 0; i < n; i++) wanted |= p.rows[i] == row;
  if (!wanted) return;
  const float* x = (const float*)p.x.at + (long)row * p.x.ld;
  float top, sum;
  log_sum(x, p.x.cols, top, sum);
  float log_of = logf(sum);
  for (int i = threadIdx.x; i < n; i += softmax_threads)
    if (p.rows[i] == row) p.to[i] = x[p.cols[i]] - top - log_of;
}
