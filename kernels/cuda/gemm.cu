// Matrix products on tensor cores. A block computes a tile of 64 rows (eight warps)
// or 16 (four warps) by 64 columns in steps of 32 inputs. Weights come by cp.async through three
// stages (blocks of GGUF types through registers, which unpack them); rows of x
// are loaded one step ahead, normalised, rounded to what the products take and
// put into one of two buffers. Rows that need a scale, a mean or a deviation are
// read once before. In a gated product half of the columns of each warp are of the
// second matrix, so that a thread holds both factors.
//
// Where the grid is small the inputs are parted between blocks; the last block
// of a tile adds the parts in their order, so that results do not depend on time.
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
    raw = quants(p.kind, matrix(c.matrix), c.index, step, blocks, threadIdx.x % 2);
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

  // multiply adds the products of a step.
  __device__ void multiply(float (&sum)[sums], int buffer, int stage) {
    if (MODE == MODE_F32) return multiply_f32(sum, buffer, stage);
    int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
#pragma unroll
    for (int half = 0; half < (S::bytes == 64 ? 2 : 1); half++) {
#pragma unroll
      for (int j = 0; j < tiles_n; j++) {
        int col = warp_col() + j * 8 + g;
        uint32_t b[2] = {w_word(stage, col, half * 8 + t), w_word(stage, col, half * 8 + 4 + t)};
#pragma unroll
        for (int i = 0; i < tiles_m; i++) {
          float(&d)[4] = *(float(*)[4])(sum + (i * tiles_n + j) * 4);
#pragma unroll
          for (int plane = 0; plane < S::planes; plane++) {
            int row = warp_row() + i * 16 + g, word = half * 8 + t;
            uint32_t f[4] = {a_word(buffer, plane, row, word), a_word(buffer, plane, row + 8, word),
                             a_word(buffer, plane, row, word + 4),
                             a_word(buffer, plane, row + 8, word + 4)};
            if (MODE == MODE_BF16) mma_bf16(d, f, b);
            if (MODE == MODE_F16) mma_f16(d, f, b);
            if (MODE == MODE_I8) add_i8(d, f, b);
            if (MODE == MODE_BLOCKS) add_block(d, f, b, buffer, row, warp_col() + j * 8 + 2 * t);
          }
        }
      }
    }
  }

  // add_i8 keeps whole sums in the bits of the floats: they scale at the end.
  __device__ void add_i8(float (&d)[4], const uint32_t (&f)[4], const uint32_t (&b)[2]) {
    int sum[4];
#pragma unroll
    for (int e = 0; e < 4; e++) sum[e] = (int)__float_as_uint(d[e]);
    mma_s8(sum, f, b);
#pragma unroll
    for (int e = 0; e < 4; e++) d[e] = __uint_as_float((uint32_t)sum[e]);
  }

  // add_block scales the sums of 32 inputs, or twice 16 where the scales differ.
  __device__ void add_block(float (&d)[4], const uint32_t (&f)[4], const uint32_t (&b)[2],
                            int buffer, int row, int col) {
    bool parted = p.kind == TYPE_Q6_K;
    const uint32_t first_half[2] = {b[0], parted ? 0 : b[1]};
    add_scaled(d, f, first_half, buffer, row, col, 0);
    if (!parted) return;
    const uint32_t second_half[2] = {0, b[1]};
    add_scaled(d, f, second_half, buffer, row, col, 1);
  }

  __device__ void add_scaled(float (&d)[4], const uint32_t (&f)[4], const uint32_t (&b)[2],
                             int buffer, int row, int col, int part) {
    int whole[4] = {0, 0, 0, 0};
    mma_s8(whole, f, b);
#pragma unroll
    for (int e = 0; e < 4; e++) {
      const float* x_scale = a_scale + (buffer * BM + row + e / 2 * 8) * 2;
      const float* scale = w_scale + (buffer * BN + col + e % 2) * 3;
      d[e] += whole[e] * (scale[part] * x_scale[0]);
      if (part == 0) d[e] += scale[2] * x_scale[1];
    }
  }

  // multiply_f32: a thread has the rows ty, ty+rows_apart, … and the columns tx, tx+16, …
  __device__ void multiply_f32(float (&sum)[sums], int buffer, int stage) {
    int tx = threadIdx.x % 16, ty = threadIdx.x / 16;
#pragma unroll 1
    for (int k = 0; k < S::inputs; k += 4) {
      float4 b[4];
#pragma unroll
      for (int j = 0; j < 4; j++)
        b[j] = *(const float4*)(w + (stage * BN + tx + 16 * j) * S::stride + k * 4);
#pragma unroll
      for (int i = 0; i < BM / rows_apart; i++) {
        float4 f = *(const float4*)(a + (buffer * BM + ty + rows_apart * i) * S::stride + k * 4);
#pragma unroll
        for (int j = 0; j < 4; j++) {
          float& d = sum[i * 4 + j];
          d += f.x * b[j].x;
          d += f.y * b[j].y;
          d += f.z * b[j].z;
          d += f.w * b[j].w;
        }
      }
    }
  }

  // put lays the sums of this thread out as the tile, row by row.
  __device__ void put(const float (&sum)[sums], float* to) {
    if (MODE == MODE_F32) {
      int tx = threadIdx.x % 16, ty = threadIdx.x / 16;
#pragma unroll
      for (int i = 0; i < BM / rows_apart; i++)
#pragma unroll
        for (int j = 0; j < 4; j++) to[(ty + rows_apart * i) * BN + tx + 16 * j] = sum[i * 4 + j];
      return;
    }
    int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
#pragma unroll
    for (int i = 0; i < tiles_m; i++)
#pragma unroll
      for (int j = 0; j < tiles_n; j++)
#pragma unroll
        for (int half = 0; half < 2; half++) {
          float* at = to + (warp_row() + i * 16 + g + half * 8) * BN + warp_col() + j * 8 + 2 * t;
          const float* d = sum + (i * tiles_n + j) * 4 + half * 2;
          *(float2*)at = {d[0], d[1]};
        }
  }

  // number is a sum of the tile, of all parts.
  __device__ float number(const float* from, long tile_step, int r, int c) const {
    float total = 0;
    int whole = 0;
    for (int z = 0; z < p.splits; z++) {
      float part = from[z * tile_step + r * BN + c];
      if (MODE == MODE_I8)
        whole += (int)__float_as_uint(part);
      else
        total += part;
    }
    return MODE == MODE_I8 ? (float)whole : total;
  }

  // write finishes the tile, of which every thread takes some numbers.
  __device__ void write(const float* from, long tile_step) {
#pragma unroll 1
    for (int i = threadIdx.x; i < BM * BN; i += threads) {
      int r = i / BN, c = i % BN;
      Column col = column_of<width>(s, tile, c);
      if (row0 + r >= rows || col.matrix || col.index >= s.outputs) continue;
      float v = number(from, tile_step, r, c),
            gate = s.gated ? number(from, tile_step, r, c + width / 2) : 0;
      if (MODE == MODE_I8) {
        float step = moments_of[r].step;
        v *= step * s.w.scale[col.index];
        if (s.gated) gate *= step * s.w2.scale[col.index];
      }
      if (MODE == MODE_F16) v /= moments_of[r].step, gate /= moments_of[r].step;
      finish(p, s, row0 + r, col.index, v, gate);
    }
  }

  // is_last says whether all other parts of the tile are there.
  __device__ bool is_last(unsigned* counter) {
    SHARED(int, answer, 1);
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) *answer = atomicAdd(counter, 1u) == (unsigned)p.splits - 1;
    __syncthreads();
    __threadfence();
    return *answer;
  }

  __device__ void run() {
    float sum[sums];
#pragma unroll
    for (int i = 0; i < sums; i++) sum[i] = 0;
    for (int i = 0; i < stages - 1; i++) start_w(first + i);
    scan();
    __syncthreads();
    if (first < last) {
      load_x(first);
      store_x(first, first % 2);
      if (MODE == MODE_BLOCKS) load_w(first), store_w(first);
    }
    for (int step = first; step < last; step++) {
      copy_async_wait<stages - 2>();
      __syncthreads();
      start_w(step + stages - 1);
      bool more = step + 1 < last;
      if (more) {
        load_x(step + 1);
        if (MODE == MODE_BLOCKS) load_w(step + 1);
      }
      multiply(sum, step % 2, MODE == MODE_BLOCKS ? step % 2 : step % stages);
      if (more) {
        store_x(step + 1, (step + 1) % 2);
        if (MODE == MODE_BLOCKS) store_w(step + 1);
      }
    }
    copy_async_wait<0>();
    __syncthreads();
    if (p.splits == 1) {
      put(sum, (float*)a);
      __syncthreads();
      return write((const float*)a, 0);
    }
    long tiles = (long)gridDim.x * gridDim.y, at = (long)blockIdx.y * gridDim.x + blockIdx.x;
    put(sum, p.partial + (blockIdx.z * tiles + at) * BM * BN);
    if (!is_last(p.counter + at)) return;
    write(p.partial + at * BM * BN, tiles * BM * BN);
    if (threadIdx.x == 0) p.counter[at] = 0;
  }
};

template <int MODE, int BM>
__device__ inline void gemm(const Product& p) {
  using S = Step<MODE>;
  using G = Gemm<MODE, BM>;
  constexpr int w_stages = MODE == MODE_BLOCKS ? 2 : stages;
  constexpr int a_bytes = 2 * S::planes * BM * S::stride, all = a_bytes + w_stages * BN * S::stride;
  SHARED(uint8_t, a,
         all > BM * BN * 4 ? all : BM * BN * 4);  // tiles of x and w, at last the tile of results
  SHARED(RowMoments, row_moments, BM);
  SHARED(float, a_scale, MODE == MODE_BLOCKS ? 2 * BM * 2 : 4);
  SHARED(float, w_scale, MODE == MODE_BLOCKS ? 2 * BN * 3 : 4);
  int rows = length(p.x.rows, p.scalars);
  if ((int)blockIdx.y * BM >= rows) return;
  int i = 0;
  while (i + 1 < p.count && (int)blockIdx.x >= p.segments[i + 1].tile) i++;
  G g(p, p.segments[i], blockIdx.x - p.segments[i].tile, rows);
  g.a = a, g.w = a + a_bytes, g.moments_of = row_moments, g.a_scale = a_scale, g.w_scale = w_scale;
  g.run();
}

KERNEL(gemm_f32_64, Product, threads_of(64), 4) { gemm<MODE_F32, 64>(p); }
KERNEL(gemm_f32_16, Product, threads_of(16), 8) { gemm<MODE_F32, 16>(p); }
KERNEL(gemm_f16_64, Product, threads_of(64), 4) { gemm<MODE_F16, 64>(p); }
KERNEL(gemm_f16_16, Product, threads_of(16), 8) { gemm<MODE_F16, 16>(p); }
KERNEL(gemm_bf16_64, Product, threads_of(64), 4) { gemm<MODE_BF16, 64>(p); }
KERNEL(gemm_bf16_16, Product, threads_of(16), 8) { gemm<MODE_BF16, 16>(p); }
KERNEL(gemm_i8_64, Product, threads_of(64), 4) { gemm<MODE_I8, 64>(p); }
KERNEL(gemm_i8_16, Product, threads_of(16), 8) { gemm<MODE_I8, 16>(p); }
// Unpacking needs more registers than 64: no bound, three blocks on a multiprocessor.
KERNEL(gemm_blocks_64, Product, threads_of(64), 0) { gemm<MODE_BLOCKS, 64>(p); }
KERNEL(gemm_blocks_16, Product, threads_of(16), 8) { gemm<MODE_BLOCKS, 16>(p); }
