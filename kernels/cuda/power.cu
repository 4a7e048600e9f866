// The scale of Whisper's spectrogram: logarithms of powers, none far below the
// largest of all. One block, because every number waits for the largest: thirty
// seconds of sound are 240,000 numbers.
#include "device.h"

struct LogPower {
  Mat x, to;
  const int* scalars;
};

constexpr int power_threads = 1024;

__device__ inline float decades(float x) { return x <= 1e-10f ? -10 : log10f(x); }

KERNEL(log_power, LogPower, power_threads, 1) {
  SHARED(float, parts, power_threads / 32);
  int n = length(p.x.rows, p.scalars) * p.x.cols;
  float top = -10;
  for (int i = threadIdx.x; i < n; i += power_threads)
    top =
        larger(top, decades(((const float*)p.x.at)[(long)(i / p.x.cols) * p.x.ld + i % p.x.cols]));
  top = warp_max(top);
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = top;
  __syncthreads();
  top = warp_max(parts[threadIdx.x % 32]);
  for (int i = threadIdx.x; i < n; i += power_threads) {
    int row = i / p.x.cols, c = i % p.x.cols;
    float v = decades(((const float*)p.x.at)[(long)row * p.x.ld + c]);
    ((float*)p.to.at)[(long)row * p.to.ld + c] = (larger(v, top - 8) + 4) / 4;
  }
}
