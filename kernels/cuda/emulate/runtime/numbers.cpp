// Numbers of 16 and 8 bits, and the products of a warp in the fragments that the
// PTX manual draws (sections "Matrix Fragments for mma.m16n8k16 with floating
// point type" and "mma.m16n8k32"): lane 4*g+t holds, of A, rows g and g+8, of B,
// column g, and of the result rows g and g+8 in columns 2t and 2t+1.
#include "runtime.h"

static float half_to_float(uint16_t h) {
  _Float16 x;
  memcpy(&x, &h, 2);
  return (float)x;
}

float from_f16(uint16_t h) { return half_to_float(h); }

uint16_t to_f16(float x) {
  _Float16 h = (_Float16)x;
  uint16_t bits;
  memcpy(&bits, &h, 2);
  return bits;
}

uint16_t to_bf16(float x) {
  uint32_t u = __float_as_uint(x);
  if ((u & 0x7fffffff) > 0x7f800000) return 0x7fff;  // as cvt.rn.bf16.f32 does
  return (u + 0x7fff + (u >> 16 & 1)) >> 16;
}

int __dp4a(int a, int b, int c) {
  for (int i = 0; i < 4; i++) c += (int8_t)(a >> 8 * i) * (int8_t)(b >> 8 * i);
  return c;
}

namespace {

const uint64_t (*exchange(const uint32_t (&a)[4], const uint32_t (&b)[2], void* where))[8] {
  uint64_t words[3] = {a[0] | (uint64_t)a[1] << 32, a[2] | (uint64_t)a[3] << 32,
                       b[0] | (uint64_t)b[1] << 32};
  return emulate::gather(0xffffffffu, words, 3, where);
}

uint32_t word(const uint64_t (*all)[8], int lane, int i) {
  return all[lane][i / 2] >> 32 * (i % 2);
}

template <float (*widen)(uint16_t)>
void multiply16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], void* where) {
  auto all = exchange(a, b, where);
  int g = emulate::lane() / 4, t = emulate::lane() % 4;
  for (int half = 0; half < 2; half++)
    for (int k = 0; k < 16; k++) {
      int from = k % 8 / 2, shift = 16 * (k % 2);
      float x = widen(word(all, g * 4 + from, half + 2 * (k / 8)) >> shift);
      for (int c = 0; c < 2; c++)
        d[half * 2 + c] += x * widen(word(all, (2 * t + c) * 4 + from, 4 + k / 8) >> shift);
    }
}

float widen_bf16(uint16_t h) { return __uint_as_float((uint32_t)h << 16); }

}  // namespace

void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  multiply16<widen_bf16>(d, a, b, __builtin_return_address(0));
}
void mma_f16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  multiply16<half_to_float>(d, a, b, __builtin_return_address(0));
}

void mma_s8(int (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  auto all = exchange(a, b, __builtin_return_address(0));
  int g = emulate::lane() / 4, t = emulate::lane() % 4;
  for (int half = 0; half < 2; half++)
    for (int k = 0; k < 32; k += 4) {
      int from = k % 16 / 4;
      uint32_t x = word(all, g * 4 + from, half + 2 * (k / 16));
      for (int c = 0; c < 2; c++)
        d[half * 2 + c] = __dp4a(x, word(all, (2 * t + c) * 4 + from, 4 + k / 16), d[half * 2 + c]);
    }
}
