// The tile of a matrix product of gemm.cu: what it consists of, and how the inputs
// come to where they are multiplied.
#pragma once
#include "product.h"

constexpr int BN = 64, stages = 3;

// threads of a block for a tile of so many rows.
constexpr int threads_of(int rows) { return rows == 64 ? 256 : 128; }

// How a kind of weight multiplies.
enum Mode { MODE_F32, MODE_F16, MODE_BF16, MODE_I8, MODE_BLOCKS };

// Tiles of one step: rows of x and of w, each row with 16 bytes beside it that keep
// the banks apart. f16 weights multiply the rows twice, rounded and what that lost.
template <int MODE>
struct Step {
  static constexpr int inputs = MODE == MODE_F32 ? 16 : 32;
  static constexpr int bytes = MODE == MODE_F32                        ? 64
                               : MODE == MODE_F16 || MODE == MODE_BF16 ? 64
                                                                       : 32;
  static constexpr int stride = bytes + 16;
  static constexpr int planes = MODE == MODE_F16 ? 2 : 1;
};

// Moments of the rows of a tile.
struct RowMoments {
  float mean, scale;  // of the norm
  float step;         // of i8: one unit; of f16: a power of two that fills the range
};

// Where a column of the tile comes from.
struct Column {
  int matrix, index;
};

template <int WIDTH>
__device__ inline Column column_of(const Segment& s, int tile, int r) {
  if (!s.gated) return {0, tile * BN + r};
  int within = r % WIDTH;
  return {within >= WIDTH / 2, tile * (BN / 2) + r / WIDTH * (WIDTH / 2) + within % (WIDTH / 2)};
}

template <int MODE, int BM>
struct Gemm {
  using S = Step<MODE>;
  static constexpr int threads = threads_of(BM);
  static constexpr int per_row = threads / BM;     // threads of a row of x
  static constexpr int per = S::inputs / per_row;  // inputs of a thread
  static constexpr int warps_m = BM / 32 > 0 ? BM / 32 : 1, warps_n = 4;
  static constexpr int tiles_m = BM / warps_m / 16, tiles_n = BN / warps_n / 8;
  static constexpr int width =
      MODE == MODE_F32 ? 64 : BN / warps_n;  // columns that are gated together
  static constexpr int sums = BM * BN / threads;
  static constexpr int rows_apart = threads / 16;  // of the rows of a thread, MODE_F32
  static_assert(S::stride % 16 == 0, "vectors are aligned");

  const Product& p;
  const Segment& s;
  int tile, row0, rows, blocks, steps, first, last;
  uint8_t *a, *w;  // tiles
  RowMoments* moments_of;
  float *a_scale, *w_scale;  // MODE_BLOCKS, of a step: [2][BM][2] and [2][BN][3]
  float x[per];
  uint4 raw;

  __device__ Gemm(const Product& p, const Segment& s, int tile, int rows)
      : p(p), s(s), tile(tile), rows(rows) {
    row0 = blockIdx.y * BM;
    blocks = padded(p.inputs) / 32;
    steps = padded(p.inputs) / S::inputs;
    int each = (steps + p.splits - 1) / p.splits;
    first = blockIdx.z * each;
    last = min(steps, first + each);
  }

  __device__ const Matrix& matrix(int i) const { return i ? s.w2 : s.w; }

  // scan finds the moments of the tile's rows.
  __device__ void scan() {
    constexpr bool scaled = MODE == MODE_I8 || MODE == MODE_F16;
    if (!scaled && p.norm.kind == NORM_NONE) return;
    int lane = threadIdx.x % 32;
    for (int r = threadIdx.x / 32; r < BM && row0 + r < rows; r += threads / 32) {
      const float* from = (const float*)p.x.at + (long)(row0 + r) * p.x.ld;
      RowMoments m;
      moments(p.norm, from, p.inputs, m.mean, m.scale);
      m.step = 1;
      if (scaled) {
        float most = p.limit;
        if (MODE == MODE_F16 || most == 0) {
          most = 0;
          for (int i = lane; i < p.inputs; i += 32)
            most = larger(most, fabsf(normal(p.norm, from[i], m.mean, m.scale, i)));
          most = warp_max(most);
        }
        m.step = most / 127;
        if (MODE == MODE_I8 && p.limit > 0) m.step += poison(from, p.inputs);
        if (MODE == MODE_F16)  // 2^14 over the power of two below: neither overflows nor rounds
          m.step =
              most > 0 && most < 3e38f
                  ? __uint_as_float((268u - min(max(__float_as_uint(most) >> 23, 15u), 267u)) << 23)
                  : 1;
      }
      if (lane == 0) moments_of[r] = m;
    }
  }

  // load_x reads this thread's inputs of a step.
  __device__ void load_x(int step) {
    int r = threadIdx.x / per_row, k = step * S::inputs + threadIdx.x % per_row * per;
    int row = row0 + r;
    const float* from = (const float*)p.x.at + (long)row * p.x.ld + k;
    bool inside = row < rows;
#pragma unroll
    for (int i = 0; i < per; i += 4) {
      if (per >= 4 && p.vectors && inside && k + i + 4 <= p.inputs) {
        float4 v = *(const float4*)(from + i);
        x[i] = v.x, x[i + 1] = v.y, x[i + 2] = v.z, x[i + 3] = v.w;
        continue;
      }
#pragma unroll
      for (int j = i; j < i + 4 && j < per; j++) x[j] = inside && k + j < p.inputs ? from[j] : 0;
    }
  }

  // store_x normalises, rounds and puts them where the products read.
  __device__ void store_x(int step, int buffer) {
    int r = threadIdx.x / per_row, at = threadIdx.x % per_row * per, k = step * S::inputs + at;
    constexpr bool scaled = MODE == MODE_I8 || MODE == MODE_F16;
    RowMoments m = {0, 1, 1};
    bool inside = row0 + r < rows;
    if (inside && (scaled || p.norm.kind != NORM_NONE)) m = moments_of[r];
    if (p.norm.kind != NORM_NONE && inside) {
#pragma unroll
      for (int i = 0; i < per; i++)
        x[i] = k + i < p.inputs ? normal(p.norm, x[i], m.mean, m.scale, k + i) : 0;
    }
    uint8_t* to = a + (buffer * S::planes * BM + r) * S::stride;
    if (MODE == MODE_F32) {
#pragma unroll
      for (int i = 0; i < per; i++) ((float*)to)[at + i] = x[i];
    } else if (MODE == MODE_BF16) {
#pragma unroll
      for (int i = 0; i < per; i += 2)
        ((uint32_t*)to)[(at + i) / 2] = pair(to_bf16(x[i]), to_bf16(x[i + 1]));
    } else if (MODE == MODE_F16) {
      uint8_t* rest = to + BM * S::stride;
#pragma unroll
      for (int i = 0; i < per; i += 2) {
        float u = x[i] * m.step, v = x[i + 1] * m.step;
        uint16_t hu = to_f16(u), hv = to_f16(v);
        ((uint32_t*)to)[(at + i) / 2] = pair(hu, hv);
        ((uint32_t*)rest)[(at + i) / 2] = pair(to_f16(u - from_f16(hu)), to_f16(v - from_f16(hv)));
      }
    } else {
      float inverse = m.step > 0 ? 1 / m.step : 0;
      if (MODE == MODE_BLOCKS) inverse = scale_block(r, buffer);
      int sum = 0;
#pragma unroll
      for (int i = 0; i < per; i += 4) {
        uint32_t q = 0;
#pragma unroll
        for (int j = 0; j < 4; j++) q |= (uint32_t)rounded8(x[i + j], inverse) << 8 * j;
        ((uint32_t*)to)[(at + i) / 4] = q;
        sum = __dp4a((int)q, 0x01010101, sum);
      }
      if (MODE == MODE_BLOCKS) {
        for (int n = per_row / 2; n; n /= 2) sum += __shfl_xor_sync(ALL_LANES, sum, n);
        if (threadIdx.x % per_row == 0)
          a_scale[(buffer * BM + r) * 2 + 1] = sum * a_scale[(buffer * BM + r) * 2];
      }
    }
  }

  // scale_block gives the inverse of the step of the row's 32 inputs.
  __device__ float scale_block(int r, int buffer) {
    float most = 0;
#pragma unroll
    for (int i = 0; i < per; i++) most = larger(most, fabsf(x[i]));
    for (int n = per_row / 2; n; n /= 2) most = larger(most, __shfl_xor_sync(ALL_LANES, most, n));
    if (threadIdx.x % per_row == 0) a_scale[(buffer * BM + r) * 2] = most / 127;
    return most > 0 ? 127 / most : 0;
  }

  // start_w begins the copy of a step of the weights.
  __device__ void start_w(int step) {
    if (MODE != MODE_BLOCKS && step < last) {
      constexpr int pieces = S::bytes / 16;
      long row_bytes = (long)padded(p.inputs) * (MODE == MODE_F32 ? 4 : MODE == MODE_I8 ? 1 : 2);
      uint8_t* to = w + step % stages * BN * S::stride;
      for (int i = threadIdx.x; i < BN * pieces; i += threads) {
        int r = i / pieces, piece = i % pieces;
        Column c = column_of<width>(s, tile, r);
        bool inside = c.index < s.outputs;
        const uint8_t* from = matrix(c.matrix).data +
                              (inside ? c.index * row_bytes + step * S::bytes + piece * 16 : 0);
        copy_async16(to + r * S::stride + piece * 16, from, inside ? 16 : 0);
      }
    }
    copy_async_commit();
  }

  // load_w and store_w do the same for blocks, half a row of 32 a thread.
  __device__ void load_w(int step) {
    if (threadIdx.x >= 2 * BN) return;
    Column c = column_of<width>(s, tile, threadIdx.x / 2);
    raw = {0, 0, 0, 0};
    if (c.index >= s.outputs) return;
    int part = threadIdx.x % 2;
    raw = quants(p.kind, raw_of(p.kind, matrix(c.matrix), c.index, step, blocks, part), part);
  }
  __device__ void store_w(int step) {
    if (threadIdx.x >= 2 * BN) return;
    int buffer = step % 2;
    Column c = column_of<width>(s, tile, threadIdx.x / 2);
    Scales raw_scales = {0, 0, 0};
    if (c.index < s.outputs)
      raw_scales = scales_of(p.kind, matrix(c.matrix), c.index, step, blocks);
    int r = threadIdx.x / 2, part = threadIdx.x % 2;
    *(uint4*)(w + (buffer * BN + r) * S::stride + part * 16) = raw;
    float* to = w_scale + (buffer * BN + r) * 3;
    to[part] = part ? raw_scales.d1 : raw_scales.d0;
    if (part == 0) to[2] = raw_scales.m;
  }

  __device__ uint32_t a_word(int buffer, int plane, int row, int word) const {
    return ((const uint32_t*)(a + ((buffer * S::planes + plane) * BM + row) * S::stride))[word];
  }
  __device__ uint32_t w_word(int stage, int row, int word) const {
    return ((const uint32_t*)(w + (stage * BN + row) * S::stride))[word];
  }

  __device__ int warp_row() const { return threadIdx.x / 32 / warps_n * (BM / warps_m); }
  __device__ int warp_col() const { return threadIdx.x / 32 % warps_n * (BN / warps_n); }

  // gemm_sums.h and gemm.cu
  __device__ void multiply(float (&sum)[sums], int buffer, int stage);
  __device__ void add_i8(float (&d)[4], const uint32_t (&f)[4], const uint32_t (&b)[2]);
  __device__ void add_block(float (&d)[4], const uint32_t (&f)[4], const uint32_t (&b)[2],
                            int buffer, int row, int col);
  __device__ void add_scaled(float (&d)[4], const uint32_t (&f)[4], const uint32_t (&b)[2],
                             int buffer, int row, int col, int part);
  __device__ void multiply_f32(float (&sum)[sums], int buffer, int stage);
  __device__ void put(const float (&sum)[sums], float* to);
  __device__ float number(const float* from, long tile_step, int r, int c) const;
  __device__ void write(const float* from, long tile_step);
  __device__ bool is_last(unsigned* counter);
  __device__ void run();
};
