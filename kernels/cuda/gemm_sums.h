// The products of one step of a tile, and where their sums lie in the threads.
#pragma once
#include "gemm_tile.h"

// multiply adds the products of a step.
template <int MODE, int BM>
__device__ void Gemm<MODE, BM>::multiply(float (&sum)[sums], int buffer, int stage) {
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
template <int MODE, int BM>
__device__ void Gemm<MODE, BM>::add_i8(float (&d)[4], const uint32_t (&f)[4],
                                       const uint32_t (&b)[2]) {
  int sum[4];
#pragma unroll
  for (int e = 0; e < 4; e++) sum[e] = (int)__float_as_uint(d[e]);
  mma_s8(sum, f, b);
#pragma unroll
  for (int e = 0; e < 4; e++) d[e] = __uint_as_float((uint32_t)sum[e]);
}

// add_block scales the sums of 32 inputs, or twice 16 where the scales differ.
template <int MODE, int BM>
__device__ void Gemm<MODE, BM>::add_block(float (&d)[4], const uint32_t (&f)[4],
                                          const uint32_t (&b)[2], int buffer, int row, int col) {
  bool parted = p.kind == TYPE_Q6_K;
  const uint32_t first_half[2] = {b[0], parted ? 0 : b[1]};
  add_scaled(d, f, first_half, buffer, row, col, 0);
  if (!parted) return;
  const uint32_t second_half[2] = {0, b[1]};
  add_scaled(d, f, second_half, buffer, row, col, 1);
}

template <int MODE, int BM>
__device__ void Gemm<MODE, BM>::add_scaled(float (&d)[4], const uint32_t (&f)[4],
                                           const uint32_t (&b)[2], int buffer, int row, int col,
                                           int part) {
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
template <int MODE, int BM>
__device__ void Gemm<MODE, BM>::multiply_f32(float (&sum)[sums], int buffer, int stage) {
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
template <int MODE, int BM>
__device__ void Gemm<MODE, BM>::put(const float (&sum)[sums], float* to) {
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
