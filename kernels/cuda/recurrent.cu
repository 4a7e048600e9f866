// What goes over rows one after the other: an LSTM whose products with x are
// computed, in one block, and the mean of rows.
#include "device.h"

constexpr int lstm_threads = 256;

// Lstm: w [4*hidden, hidden] holds what the precision rounds it to, as f32; h is
// rounded likewise before each product.
struct Lstm {
  Mat gates, to;
  const float* w;
  float *h, *c;
  const int* scalars;
  int hidden, rounding;  // RoundTo
  float limit;
  int unused;
};
enum RoundTo { ROUND_NOT, ROUND_BF16, ROUND_I8_ROW, ROUND_I8_BLOCK };

// round_h writes h as the product takes it.
__device__ inline void round_h(const Lstm& p, const float* h, float* to) {
  int lane = threadIdx.x % 32, n = p.rounding == ROUND_I8_BLOCK ? 32 : p.hidden;
  for (int first = threadIdx.x / 32 * n; first < p.hidden; first += lstm_threads / 32 * n) {
    int last = min(first + n, p.hidden);
    float most = p.limit;
    if (p.rounding >= ROUND_I8_ROW && most == 0) {
      for (int i = first + lane; i < last; i += 32) most = larger(most, fabsf(h[i]));
      most = warp_max(most);
    }
    float step = most / 127, inverse = step > 0 ? 1 / step : 0;
    for (int i = first + lane; i < last; i += 32) {
      float v = h[i];
      if (p.rounding == ROUND_BF16) v = from_bf16(to_bf16(v));
      if (p.rounding >= ROUND_I8_ROW)  // what is no number, or infinite, becomes none
        v = fminf(fmaxf(rintf(v * inverse), -127), 127) * step + v * 0;
      to[i] = v;
    }
  }
}

KERNEL(lstm_rows, Lstm, lstm_threads, 4) {
  DYNAMIC(shared);
  float *h = (float*)shared, *rounded = h + p.hidden,
        *sums = rounded + p.hidden;  // hidden, hidden, 4*hidden
  int rows = length(p.gates.rows, p.scalars);
  for (int i = threadIdx.x; i < p.hidden; i += lstm_threads) h[i] = p.h[i];
  for (int row = 0; row < rows; row++) {
    __syncthreads();
    round_h(p, h, rounded);
    __syncthreads();
    const float* gates = (const float*)p.gates.at + (long)row * p.gates.ld;
    for (int n = threadIdx.x / 32; n < 4 * p.hidden; n += lstm_threads / 32) {
      float sum = 0;
      for (int k = threadIdx.x % 32; k < p.hidden; k += 32)
        sum += rounded[k] * p.w[(long)n * p.hidden + k];
      sum = warp_sum(sum);
      if (threadIdx.x % 32 == 0) sums[n] = gates[n] + sum;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < p.hidden; i += lstm_threads) {
      float cell =
          sigmoid(sums[p.hidden + i]) * p.c[i] + sigmoid(sums[i]) * tanhf(sums[2 * p.hidden + i]);
      p.c[i] = cell;
      h[i] = sigmoid(sums[3 * p.hidden + i]) * tanhf(cell);
      ((float*)p.to.at)[(long)row * p.to.ld + i] = h[i];
    }
  }
  for (int i = threadIdx.x; i < p.hidden; i += lstm_threads) p.h[i] = h[i];
}

struct Mean {
  Mat x, to;
  const int* scalars;
};

// A warp takes a column: sums of lanes, joined, err less than one long sum.
KERNEL(mean_rows, Mean, 256, 4) {
  int rows = length(p.x.rows, p.scalars), c = blockIdx.x * 8 + threadIdx.x / 32;
  if (c >= p.x.cols) return;
  float sum = 0;
  for (int r = threadIdx.x % 32; r < rows; r += 32)
    sum += ((const float*)p.x.at)[(long)r * p.x.ld + c];
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) ((float*)p.to.at)[c] = sum / max(1, rows);
}
