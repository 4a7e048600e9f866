// Products of a few rows, as decoding has them: bound by the bytes of the weights,
// which are read once, whole 16-byte pieces a lane, for all rows together. A block
// prepares the rows in shared memory (normalised, rounded as the weights want),
// then each warp computes some outputs, its lanes sharing the inputs.
#include "product.h"

constexpr int matvec_threads = 128;

// Prepared are the rows in shared memory: floats, or bytes with a step for all of a
// row (i8) or for 32 inputs (blocks; `sum` is step times the sum of the bytes).
struct Prepared {
  float* x;
  int8_t* q;
  float *step, *sum;
};

template <int KIND>
constexpr bool is_float = KIND == TYPE_F32 || KIND == TYPE_F16 || KIND == TYPE_BF16;

template <int KIND, int R>
__device__ inline Prepared place(uint8_t* shared, int inputs) {
  Prepared at;
  int blocks = padded(inputs) / 32;
  at.x = (float*)shared;
  at.q = (int8_t*)shared;
  at.step = (float*)(shared + R * padded(inputs));
  at.sum = at.step + R * blocks;
  return at;
}

// row_step is the step of a row of i8.
__device__ inline float row_step(const Product& p, const float* from, float mean, float scale) {
  if (p.limit > 0) return p.limit / 127 + poison(from, p.inputs);
  float most = 0;
  for (int i = threadIdx.x % 32; i < p.inputs; i += 32)
    most = larger(most, fabsf(normal(p.norm, from[i], mean, scale, i)));
  return warp_max(most) / 127;
}

template <int KIND, int R>
__device__ inline void prepare(const Product& p, const Prepared& to, int rows) {
  SHARED(float, shared_moments, R * 3);
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32, width = padded(p.inputs),
      blocks = width / 32;
  if (KIND == TYPE_I8 && (int)threadIdx.x >= rows && threadIdx.x < R) to.step[threadIdx.x] = 0;
  for (int r = warp; r < rows; r += matvec_threads / 32) {
    const float* from = (const float*)p.x.at + (long)r * p.x.ld;
    float mean, scale;
    moments(p.norm, from, p.inputs, mean, scale);
    float step = KIND == TYPE_I8 ? row_step(p, from, mean, scale) : 1;
    if (lane == 0)
      shared_moments[r * 3] = mean, shared_moments[r * 3 + 1] = scale,
                         shared_moments[r * 3 + 2] = step;
    if (KIND == TYPE_I8 && lane == 0) to.step[r] = step;
  }
  __syncthreads();
  for (int i = warp; i < R * blocks; i += matvec_threads / 32) {
    int r = i / blocks, k = i % blocks * 32 + lane;
    float v = 0;
    if (r < rows && k < p.inputs)
      v = normal(p.norm, ((const float*)p.x.at)[(long)r * p.x.ld + k], shared_moments[r * 3],
                 shared_moments[r * 3 + 1], k);
    if (is_float<KIND>) {
      to.x[r * width + k] = KIND == TYPE_BF16 ? from_bf16(to_bf16(v)) : v;
    } else if (KIND == TYPE_I8) {
      float step = r < rows ? shared_moments[r * 3 + 2] : 0;
      to.q[r * width + k] = rounded8(v, step > 0 ? 1 / step : 0);
    } else {
      float most = warp_max(fabsf(v));
      int q = (int8_t)rounded8(v, most > 0 ? 127 / most : 0);
      to.q[r * width + k] = q;
      float sum = warp_sum((float)q);
      if (lane == 0) to.step[i] = most / 127, to.sum[i] = sum * (most / 127);
    }
  }
  __syncthreads();
}

__device__ inline float dot4(const float* x, float a, float b, float c, float d, float sum) {
  float4 v = *(const float4*)x;
  sum += v.x * a;
  sum += v.y * b;
  sum += v.z * c;
  return sum + v.w * d;
}

template <int KIND>
__device__ inline float widen(uint32_t h) {
  return KIND == TYPE_F16 ? from_f16((uint16_t)h) : from_bf16((uint16_t)h);
}

// dot_floats adds a lane's part of an output's sums.
template <int KIND, int R>
__device__ inline void dot_floats(const Product& p, const Matrix& w, long n, const Prepared& at,
                                  float (&sum)[R]) {
  constexpr int piece = KIND == TYPE_F32 ? 4 : 8;
  int width = padded(p.inputs);
  const uint8_t* row = w.data + n * width * (16 / piece);
#pragma unroll(R == 1 ? 2 : 1)
  for (int c = threadIdx.x % 32; c < width / piece; c += 32) {
    uint4 v = *(const uint4*)(row + c * 16);
#pragma unroll
    for (int r = 0; r < R; r++) {
      const float* x = at.x + r * width + c * piece;
      if (KIND == TYPE_F32) {
        sum[r] = dot4(x, __uint_as_float(v.x), __uint_as_float(v.y), __uint_as_float(v.z),
                      __uint_as_float(v.w), sum[r]);
      } else {
        sum[r] = dot4(x, widen<KIND>(v.x & 0xffff), widen<KIND>(v.x >> 16),
                      widen<KIND>(v.y & 0xffff), widen<KIND>(v.y >> 16), sum[r]);
        sum[r] = dot4(x + 4, widen<KIND>(v.z & 0xffff), widen<KIND>(v.z >> 16),
                      widen<KIND>(v.w & 0xffff), widen<KIND>(v.w >> 16), sum[r]);
      }
    }
  }
}

__device__ inline int dot16(const uint4& w, const int8_t* x) {
  uint4 v = *(const uint4*)x;
  return __dp4a(
      (int)w.x, (int)v.x,
      __dp4a((int)w.y, (int)v.y, __dp4a((int)w.z, (int)v.z, __dp4a((int)w.w, (int)v.w, 0))));
}

template <int R>
__device__ inline void dot_i8(const Product& p, const Matrix& w, long n, const Prepared& at,
                              float (&sum)[R]) {
  int width = padded(p.inputs), whole[R];
  float scale = w.scale[n];
#pragma unroll
  for (int r = 0; r < R; r++) whole[r] = 0;
#pragma unroll(R == 1 ? 2 : 1)
  for (int c = threadIdx.x % 32; c < width / 16; c += 32) {
    uint4 v = *(const uint4*)(w.data + n * width + c * 16);
#pragma unroll
    for (int r = 0; r < R; r++) whole[r] += dot16(v, at.q + r * width + c * 16);
  }
#pragma unroll
  for (int r = 0; r < R; r++) sum[r] = whole[r] * scale * at.step[r];
}

// dot_blocks: a lane takes whole blocks of 32 (or a half, where that is 16 bytes).
template <int KIND, int R>
__device__ inline void dot_blocks(const Product& p, const Matrix& w, long n, const Prepared& at,
                                  float (&sum)[R]) {
  int width = padded(p.inputs), blocks = width / 32;
  constexpr int parts = KIND == TYPE_Q8_0 ? 2 : 1;
#pragma unroll(R == 1 ? 2 : 1)
  for (int c = threadIdx.x % 32; c < blocks * parts; c += 32) {
    int b = c / parts;
    Raw raw = raw_of(KIND, w, n, b, blocks, parts == 2 ? c % 2 : 0);
    uint4 q = quants(KIND, raw, 0);
    float first[R];
#pragma unroll
    for (int r = 0; r < R; r++)
      first[r] = dot16(q, at.q + r * width + b * 32 + (parts == 2 ? c % 2 * 16 : 0));
    if (parts == 1) q = quants(KIND, raw, 1);
    Scales s = scales_of(KIND, w, n, b, blocks);
#pragma unroll
    for (int r = 0; r < R; r++) {
      float d = s.d0 * first[r];
      if (parts == 1) d += s.d1 * dot16(q, at.q + r * width + b * 32 + 16);
      sum[r] += d * at.step[r * blocks + b];
      if (parts == 1 && KIND != TYPE_Q6_K) sum[r] += s.m * at.sum[r * blocks + b];
    }
  }
}

// dots gives lane r the sum of row r.
template <int KIND, int R>
__device__ inline float dots(const Product& p, const Matrix& w, long n, const Prepared& at) {
  float sum[R], mine = 0;
#pragma unroll
  for (int r = 0; r < R; r++) sum[r] = 0;
  if constexpr (is_float<KIND>)
    dot_floats<KIND, R>(p, w, n, at, sum);
  else if constexpr (KIND == TYPE_I8)
    dot_i8<R>(p, w, n, at, sum);
  else
    dot_blocks<KIND, R>(p, w, n, at, sum);
#pragma unroll
  for (int r = 0; r < R; r++) {
    float all = warp_sum(sum[r]);
    if ((int)threadIdx.x % 32 == r) mine = all;
  }
  return mine;
}

template <int KIND, int R>
__device__ inline void matvec(const Product& p) {
  DYNAMIC(shared);
  int rows = min(R, length(p.x.rows, p.scalars));
  if (rows == 0) return;
  Prepared at = place<KIND, R>(shared, p.inputs);
  prepare<KIND, R>(p, at, rows);
  int i = 0;
  while (i + 1 < p.count && (int)blockIdx.x >= p.segments[i + 1].tile) i++;
  const Segment& s = p.segments[i];
  int n = ((blockIdx.x - s.tile) * (matvec_threads / 32) + threadIdx.x / 32) * p.per_warp;
  for (int last = min(n + p.per_warp, s.outputs); n < last; n++) {
    float sum = dots<KIND, R>(p, s.w, n, at), gate = s.gated ? dots<KIND, R>(p, s.w2, n, at) : 0;
    int r = threadIdx.x % 32;
    if (r < rows) finish(p, s, r, n, sum, gate);
  }
}

// The variants of four rows want 64 registers for eight blocks on a multiprocessor;
// that of q4_1 would spill, and gets 72 for seven.
#define MATVEC(name, KIND, blocks)                                              \
  KERNEL(matvec_##name##_1, Product, matvec_threads, 8) { matvec<KIND, 1>(p); } \
  KERNEL(matvec_##name##_4, Product, matvec_threads, blocks) { matvec<KIND, 4>(p); }
MATVEC(f32, TYPE_F32, 8)
MATVEC(f16, TYPE_F16, 8)
MATVEC(bf16, TYPE_BF16, 8)
MATVEC(i8, TYPE_I8, 8)
MATVEC(q4_0, TYPE_Q4_0, 8)
MATVEC(q4_1, TYPE_Q4_1, 7)
MATVEC(q8_0, TYPE_Q8_0, 8)
MATVEC(q4_k, TYPE_Q4_K, 8)
MATVEC(q6_k, TYPE_Q6_K, 8)
