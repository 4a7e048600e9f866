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
#include "gemm_sums.h"

// number is a sum of the tile, of all parts.
template <int MODE, int BM>
__device__ float Gemm<MODE, BM>::number(const float* from, long tile_step, int r, int c) const {
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
template <int MODE, int BM>
__device__ void Gemm<MODE, BM>::write(const float* from, long tile_step) {
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
template <int MODE, int BM>
__device__ bool Gemm<MODE, BM>::is_last(unsigned* counter) {
  SHARED(int, answer, 1);
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) *answer = atomicAdd(counter, 1u) == (unsigned)p.splits - 1;
  __syncthreads();
  __threadfence();
  return *answer;
}

template <int MODE, int BM>
__device__ void Gemm<MODE, BM>::run() {
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
