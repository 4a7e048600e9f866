// Attention with the softmax kept running over tiles of keys (arXiv 2205.14135).
// The query heads that share a key head are rows of one tile, so that keys and
// values are read once for all of them: a row is (query, head of the group). A
// block has 32 rows and goes through 32 keys at a time; its 128 threads hold two
// rows by four keys of the scores, then two rows by some channels of the result.
//
// Where few rows meet many keys the keys are parted between blocks; the last of
// a tile joins the parts in their order.
#include "device.h"

constexpr int attention_threads = 128, BQ = 32, BK = 32, P_stride = BK + 4;

// Attention is the parameter. Scalars past and length are as in the operator.
struct Attention {
  Mat q, k, v, to;
  const uint8_t* mask;
  const int* scalars;
  float* partial;                   // splits > 1: maximum, sum and result of each row
  unsigned* counter;                // one a tile, 0 before and after
  int heads, kv_heads, head, type;  // type of k and v
  int causal, window, batch, cached;
  int past, length_id, mask_ld, splits;
  float scale, softcap;
  int vectors;  // rows of q, k, v are aligned to 16 bytes and head is a multiple of 4
  int unused;
};

template <int D>
struct Attend {
  static constexpr int stride = D + 4, channels = D / 32;  // float4 of a thread's result
  const Attention& p;
  float *q, *kv, *scores;
  int group, rows, keys, past, sequence, kv_head, row0;
  int mine[2];  // rows of this thread
  float top[2], total[2];
  float4 sum[2][channels];

  __device__ Attend(const Attention& p) : p(p) {
    group = p.heads / p.kv_heads;
    past = p.past ? p.scalars[p.past] : 0;
    rows = length(p.q.rows, p.scalars);
    keys = length(p.k.rows, p.scalars);
    if (p.cached) keys = p.length_id ? p.scalars[p.length_id] : past + rows;
    rows /= p.batch, keys /= p.batch;
    sequence = blockIdx.y / p.kv_heads, kv_head = blockIdx.y % p.kv_heads;
    row0 = blockIdx.x * BQ;
    mine[0] = threadIdx.x / 8, mine[1] = mine[0] + 16;
  }

  // visible gives the keys low <= j < high of a row.
  __device__ void visible(int row, int& low, int& high) const {
    int i = row / group;
    high = p.causal ? min(keys, past + i + 1) : keys;
    low = p.window > 0 ? max(0, high - p.window) : 0;
    if (i >= rows) low = high = 0;
  }

  // load puts 32 rows of keys or values into shared memory, zeros beyond them.
  __device__ void load(const Mat& m, int first) {
    for (int i = threadIdx.x; i < BK * D / 4; i += attention_threads) {
      int r = i / (D / 4), c = i % (D / 4) * 4, key = first + r;
      float4 v = make_float4(0, 0, 0, 0);
      if (key < keys && c < p.head) {
        long at = (long)(sequence * keys + key) * m.ld + kv_head * p.head + c;
        if (p.vectors && p.type == TYPE_F32) {
          v = *(const float4*)(m.at + at * 4);
        } else if (p.vectors) {
          uint2 h = *(const uint2*)(m.at + at * 2);
          bool half = p.type == TYPE_F16;
          v.x = half ? from_f16(h.x & 0xffff) : from_bf16(h.x & 0xffff),
          v.y = half ? from_f16(h.x >> 16) : from_bf16(h.x >> 16);
          v.z = half ? from_f16(h.y & 0xffff) : from_bf16(h.y & 0xffff),
          v.w = half ? from_f16(h.y >> 16) : from_bf16(h.y >> 16);
        } else {
          v.x = load_number(m.at, p.type, at);
          if (c + 1 < p.head) v.y = load_number(m.at, p.type, at + 1);
          if (c + 2 < p.head) v.z = load_number(m.at, p.type, at + 2);
          if (c + 3 < p.head) v.w = load_number(m.at, p.type, at + 3);
        }
      }
      *(float4*)(kv + r * stride + c) = v;
    }
  }

  __device__ void load_q() {
    for (int i = threadIdx.x; i < BQ * D; i += attention_threads) {
      int r = i / D, c = i % D, row = row0 + r;
      float v = 0;
      if (row < rows * group && c < p.head)
        v = ((const float*)p.q.at)[(long)(sequence * rows + row / group) * p.q.ld +
                                   (kv_head * group + row % group) * p.head + c];
      q[r * stride + c] = v * p.scale;
    }
  }

  __device__ void score(float (&s)[2][4]) {
    int k0 = threadIdx.x % 8;
#pragma unroll
    for (int a = 0; a < 2; a++)
#pragma unroll
      for (int j = 0; j < 4; j++) s[a][j] = 0;
#pragma unroll 4
    for (int c = 0; c < D; c += 4) {
      float4 x[2];
#pragma unroll
      for (int a = 0; a < 2; a++) x[a] = *(const float4*)(q + mine[a] * stride + c);
#pragma unroll
      for (int j = 0; j < 4; j++) {
        float4 k = *(const float4*)(kv + (k0 + 8 * j) * stride + c);
#pragma unroll
        for (int a = 0; a < 2; a++) {
          s[a][j] += x[a].x * k.x;
          s[a][j] += x[a].y * k.y;
          s[a][j] += x[a].z * k.z;
          s[a][j] += x[a].w * k.w;
        }
      }
    }
  }

  // weigh turns scores into weights and scales what was summed before.
  __device__ void weigh(float (&s)[2][4], int first) {
    int k0 = threadIdx.x % 8;
#pragma unroll
    for (int a = 0; a < 2; a++) {
      int low, high, row = row0 + mine[a];
      visible(row, low, high);
      float most = -INFINITY;
#pragma unroll
      for (int j = 0; j < 4; j++) {
        int key = first + k0 + 8 * j;
        if (p.softcap > 0) s[a][j] = p.softcap * tanhf(s[a][j] / p.softcap);
        bool seen =
            key >= low && key < high && (!p.mask || p.mask[(long)(row / group) * p.mask_ld + key]);
        if (!seen) s[a][j] = -INFINITY;
        most = larger(most, s[a][j]);
      }
      for (int n = 4; n; n /= 2) most = larger(most, __shfl_xor_sync(ALL_LANES, most, n));
      most = larger(most, top[a]);
      float keep = top[a] == -INFINITY ? 0 : expf(top[a] - most), sum_of = 0;
#pragma unroll
      for (int j = 0; j < 4; j++) {
        float w = s[a][j] == -INFINITY ? 0 : expf(s[a][j] - most);
        scores[mine[a] * P_stride + k0 + 8 * j] = w;
        sum_of += w;
      }
      for (int n = 4; n; n /= 2) sum_of += __shfl_xor_sync(ALL_LANES, sum_of, n);
      total[a] = total[a] * keep + sum_of;
      top[a] = most;
#pragma unroll
      for (int c = 0; c < channels; c++)
        sum[a][c].x *= keep, sum[a][c].y *= keep, sum[a][c].z *= keep, sum[a][c].w *= keep;
    }
  }

  // add_values adds the weighed values. A weight of 0 adds nothing, whatever the
  // value is: it may belong to a key that this row must not see.
  __device__ void add_values() {
    int c0 = threadIdx.x % 8 * 4;
#pragma unroll 4
    for (int k = 0; k < BK; k++) {
      float w[2] = {scores[mine[0] * P_stride + k], scores[mine[1] * P_stride + k]};
#pragma unroll
      for (int c = 0; c < channels; c++) {
        float4 v = *(const float4*)(kv + k * stride + c0 + 32 * c);
#pragma unroll
        for (int a = 0; a < 2; a++) {
          if (w[a] == 0) continue;
          sum[a][c].x += w[a] * v.x, sum[a][c].y += w[a] * v.y, sum[a][c].z += w[a] * v.z,
              sum[a][c].w += w[a] * v.w;
        }
      }
    }
  }

  __device__ void write(int row, int c, float v) {
    if (c >= p.head) return;
    ((float*)p.to.at)[(long)(sequence * rows + row / group) * p.to.ld +
                      (kv_head * group + row % group) * p.head + c] = v;
  }

  __device__ void write_rows() {
    int c0 = threadIdx.x % 8 * 4;
#pragma unroll
    for (int a = 0; a < 2; a++) {
      int row = row0 + mine[a];
      if (row >= rows * group) continue;
      float scale = total[a] == 0 ? 0 : 1 / total[a];  // a query that sees no key gives zeros
#pragma unroll
      for (int c = 0; c < channels; c++) {
        write(row, c0 + 32 * c, sum[a][c].x * scale),
            write(row, c0 + 32 * c + 1, sum[a][c].y * scale);
        write(row, c0 + 32 * c + 2, sum[a][c].z * scale),
            write(row, c0 + 32 * c + 3, sum[a][c].w * scale);
      }
    }
  }

  // part is where a split keeps a row: its maximum, its sum, its channels.
  __device__ float* part(int split, int r) const {
    long tiles = (long)gridDim.x * gridDim.y, tile = (long)blockIdx.y * gridDim.x + blockIdx.x;
    return p.partial + ((split * tiles + tile) * BQ + r) * (D + 4);
  }

  __device__ bool join() {
    SHARED(int, is_last, 1);
    int c0 = threadIdx.x % 8 * 4;
#pragma unroll
    for (int a = 0; a < 2; a++) {
      float* to = part(blockIdx.z, mine[a]);
      if (c0 == 0) to[0] = top[a], to[1] = total[a];
#pragma unroll
      for (int c = 0; c < channels; c++) *(float4*)(to + 4 + c0 + 32 * c) = sum[a][c];
    }
    __threadfence();
    __syncthreads();
    unsigned* counter = p.counter + (long)blockIdx.y * gridDim.x + blockIdx.x;
    if (threadIdx.x == 0) *is_last = atomicAdd(counter, 1u) == (unsigned)p.splits - 1;
    __syncthreads();
    if (!*is_last) return false;
    __threadfence();
#pragma unroll
    for (int a = 0; a < 2; a++) {
      top[a] = -INFINITY, total[a] = 0;
      for (int z = 0; z < p.splits; z++) top[a] = larger(top[a], part(z, mine[a])[0]);
#pragma unroll
      for (int c = 0; c < channels; c++) sum[a][c] = make_float4(0, 0, 0, 0);
#pragma unroll 1
      for (int z = 0; z < p.splits; z++) {
        const float* from = part(z, mine[a]);
        if (from[0] == -INFINITY) continue;
        float keep = expf(from[0] - top[a]);
        total[a] += from[1] * keep;
#pragma unroll
        for (int c = 0; c < channels; c++) {
          float4 v = *(const float4*)(from + 4 + c0 + 32 * c);
          sum[a][c].x += v.x * keep, sum[a][c].y += v.y * keep, sum[a][c].z += v.z * keep,
              sum[a][c].w += v.w * keep;
        }
      }
    }
    if (threadIdx.x == 0) *counter = 0;
    return true;
  }

  __device__ void run() {
#pragma unroll
    for (int a = 0; a < 2; a++) {
      top[a] = -INFINITY, total[a] = 0;
#pragma unroll
      for (int c = 0; c < channels; c++) sum[a][c] = make_float4(0, 0, 0, 0);
    }
    load_q();
    int low, high, unused;
    visible(row0, low, unused);
    visible(min(row0 + BQ, rows * group) - 1, unused, high);
    low = low / BK * BK;
    int each = ((high - low + BK - 1) / BK + p.splits - 1) / p.splits * BK;
    int first = low + blockIdx.z * each, last = min(high, first + each);
    for (int k = first; k < last; k += BK) {
      float s[2][4];
      __syncthreads();
      load(p.k, k);
      __syncthreads();
      score(s);
      __syncthreads();
      load(p.v, k);
      weigh(s, k);
      __syncthreads();
      add_values();
    }
    if (p.splits > 1 && !join()) return;
    write_rows();
  }
};

template <int D>
__device__ inline void attention(const Attention& p) {
  DYNAMIC(shared);
  Attend<D> a(p);
  a.q = (float*)shared;
  a.kv = a.q + BQ * Attend<D>::stride;
  a.scores = a.kv + BK * Attend<D>::stride;
  if (a.row0 < a.rows * a.group) a.run();
}

// No bound for heads up to 64: the compiler finds 64 registers without spills by
// itself. Wide heads hold more of the result and fill shared memory; they run with
// fewer warps.
KERNEL(attention_32, Attention, attention_threads, 0) { attention<32>(p); }
KERNEL(attention_64, Attention, attention_threads, 0) { attention<64>(p); }
KERNEL(attention_128, Attention, attention_threads, 4) { attention<128>(p); }
KERNEL(attention_256, Attention, attention_threads, 2) { attention<256>(p); }
