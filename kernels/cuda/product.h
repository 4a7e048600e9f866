// What matrix products share: their parameters, how weights lie in memory, and
// what happens to a result before it is written.
//
// A weight is [outputs][inputs], rows padded with zeros to 32 inputs (packed by
// weights.go). Blocks of GGUF types keep their bits, parted into planes so that
// loads are aligned; of each 32 numbers,
//   q4_0, q4_1, q4_k: 16 bytes, number i in the low bits of byte i, 16+i in the high;
//   q8_0: 32 bytes;
//   q6_k: 16 bytes of low bits as above and, in the plane high, 8 bytes: bits
//   0-1, 2-3, 4-5, 6-7 of byte i belong to numbers i, 8+i, 16+i, 24+i.
// The plane meta has, for each 32 numbers, f16 d (q4_0, q8_0) or d and m (q4_1), and
// for each 256 numbers 16 bytes (q4_k: d, dmin, 12 bytes of packed scales) or 20
// (q6_k: 16 scales, d, 2 unused).
#pragma once
#include "device.h"

struct Matrix {
  const uint8_t *data, *meta, *high;
  const float* scale;  // of i8, one for each output
};

// Segment is one matrix of a product, or two of which one gates the other:
// to = act(x*w + bias) [* (x*w2 + bias2)] + residual, from row scalars[to_row] on.
struct Segment {
  Matrix w, w2;
  const float *bias, *bias2, *residual;
  char* to;
  int outputs, act, gated, type;
  int residual_ld, to_ld, to_row, tile;  // tile: the first of this segment in the grid's x
};

constexpr int most_segments = 8;

// Product is the parameter of gemm_* and matvec_*.
struct Product {
  Mat x;
  Norm norm;
  const int* scalars;
  float* partial;     // of gemm where splits > 1: a tile for each split
  unsigned* counter;  // one for each tile, 0 before and after
  int kind;           // Type of the weights
  int inputs;         // of x; the weights have them padded to 32
  int count, splits;
  float limit;     // i8: the largest magnitude of x as calibrated; 0: of each row
  int vectors;     // rows of x are aligned to 16 bytes
  int per_warp;    // matvec: outputs of a warp
  int rows_bound;  // the launch covers these rows
  Segment segments[most_segments];
};

__device__ inline int padded(int inputs) { return (inputs + 31) / 32 * 32; }

// Scales of 32 numbers: the first 16 times d0, the others times d1, all plus m.
struct Scales {
  float d0, d1, m;
};

__device__ inline Scales scales_of(int kind, const Matrix& w, long row, int block, int blocks) {
  const uint16_t* half = (const uint16_t*)w.meta;
  float d, m = 0;
  if (kind == TYPE_Q4_1) {
    uint32_t both = ((const uint32_t*)w.meta)[row * blocks + block];
    d = from_f16(both & 0xffff), m = from_f16(both >> 16);
  } else if (kind == TYPE_Q4_0) {
    d = from_f16(half[row * blocks + block]), m = -8 * d;
  } else if (kind == TYPE_Q8_0) {
    d = from_f16(half[row * blocks + block]);
  } else if (kind == TYPE_Q4_K) {
    uint4 all = ((const uint4*)w.meta)[row * (blocks / 8) + block / 8];
    int shift = block % 4 * 8, first = all.y >> shift & 255, second = all.z >> shift & 255,
        third = all.w >> shift & 255;
    bool late = block % 8 >= 4;
    int sc = late ? (third & 15) | first >> 6 << 4 : first & 63;
    int low = late ? third >> 4 | second >> 6 << 4 : second & 63;
    d = from_f16(all.x & 0xffff) * sc;
    m = -from_f16(all.x >> 16) * low;
  } else {
    const uint8_t* at = w.meta + (row * (blocks / 8) + block / 8) * 20;
    float all = from_f16(*(const uint16_t*)(at + 16));
    uint16_t s = ((const uint16_t*)at)[block % 8];
    return {all * (int8_t)s, all * (int8_t)(s >> 8), 0};
  }
  return {d, d, m};
}

// high_bits moves two bits of each byte above its low four and subtracts 32.
__device__ inline uint32_t with_high(uint32_t low, uint32_t high, int shift) {
  uint32_t q = low | (high >> shift & 0x03030303u) << 4;
  return ((q | 0x80808080u) - 0x20202020u) ^ 0x80808080u;  // no byte borrows from the next
}

// Raw are the bits of a block as they lie in memory; of q8_0 those of one part.
struct Raw {
  uint4 low;
  uint2 high;
};

// raw_of reads them. What takes both parts reads once and unpacks twice: compilers do
// not find out by themselves that the second read brings the same.
__device__ inline Raw raw_of(int kind, const Matrix& w, long row, int block, int blocks, int part) {
  long at = row * blocks + block;
  Raw raw = {};
  if (kind == TYPE_Q8_0)
    raw.low = *(const uint4*)(w.data + at * 32 + part * 16);
  else
    raw.low = *(const uint4*)(w.data + at * 16);
  if (kind == TYPE_Q6_K) raw.high = *(const uint2*)(w.high + at * 8);
  return raw;
}

// quants gives 16 of the 32 numbers of a block as bytes, part 0 or 1. Those of
// q4 types are 0..15, the others signed.
__device__ inline uint4 quants(int kind, const Raw& raw, int part) {
  uint4 q = raw.low;
  if (kind == TYPE_Q8_0) return q;
  int shift = part * 4;
  q.x = q.x >> shift & 0x0f0f0f0fu, q.y = q.y >> shift & 0x0f0f0f0fu;
  q.z = q.z >> shift & 0x0f0f0f0fu, q.w = q.w >> shift & 0x0f0f0f0fu;
  if (kind == TYPE_Q6_K) {
    q.x = with_high(q.x, raw.high.x, shift), q.y = with_high(q.y, raw.high.y, shift);
    q.z = with_high(q.z, raw.high.x, shift + 2), q.w = with_high(q.w, raw.high.y, shift + 2);
  }
  return q;
}

// finish writes one result; gate is what the second matrix gave.
__device__ inline void finish(const Product& p, const Segment& s, int row, int col, float v,
                              float gate) {
  if (s.bias) v += s.bias[col];
  v = activate(s.act, v);
  if (s.gated) {
    if (s.bias2) gate += s.bias2[col];
    v *= gate;
  }
  if (s.residual) v += s.residual[(long)row * s.residual_ld + col];
  int first = s.to_row ? p.scalars[s.to_row] : 0;
  store_number(s.to, s.type, (long)(first + row) * s.to_ld + col, v);
}

// rounded8 is x in steps of 1/inverse; a scale that is no number is caught later.
__device__ inline int rounded8(float x, float inverse) {
  float q = rintf(x * inverse);
  return (int)fminf(fmaxf(q, -127), 127) & 0xff;
}

// poison is NaN for a row with a number that is none or infinite, else 0: rounded to
// bytes of a fixed range it would look like any other. All lanes of a warp get it.
__device__ inline float poison(const float* x, int n) {
  float sum = 0;
  for (int i = threadIdx.x % 32; i < n; i += 32) sum += x[i] * 0;
  return warp_sum(sum);
}
