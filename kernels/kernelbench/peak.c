#include "peak.h"

#include <string.h>

// Independent sums: enough to hide the latency of a multiply-add on units that
// start two a cycle, and few enough to stay in registers.
#define SUMS 12

#if defined(__x86_64__)
#include <immintrin.h>

#define LOOP(VECTOR, ZERO, STEP)                              \
  VECTOR sum[SUMS];                                           \
  for (int i = 0; i < SUMS; i++) sum[i] = ZERO;               \
  for (int64_t r = 0; r < rounds; r++) {                      \
    _Pragma("GCC unroll 12") for (int i = 0; i < SUMS; i++) { \
      STEP;                                                   \
      __asm__ volatile("" : "+v"(sum[i]));                    \
    }                                                         \
  }                                                           \
  for (int i = 1; i < SUMS; i++) sum[0] += sum[i];            \
  memcpy(sink, &sum[0], sizeof(float))

__attribute__((target("avx512f"))) static void f32_512(int64_t rounds, float *sink) {
  const __m512 a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(0.001f);
  LOOP(__m512, a, sum[i] = _mm512_fmadd_ps(sum[i], a, b));
}

__attribute__((target("avx2,fma"))) static void f32_256(int64_t rounds, float *sink) {
  const __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(0.001f);
  LOOP(__m256, a, sum[i] = _mm256_fmadd_ps(sum[i], a, b));
}

__attribute__((target("avx512f,avx512bf16"))) static void bf16_512(int64_t rounds, float *sink) {
  const __m512bh a = (__m512bh)_mm512_set1_epi16(0x3c00);
  LOOP(__m512, _mm512_setzero_ps(), sum[i] = _mm512_dpbf16_ps(sum[i], a, a));
}

__attribute__((target("avx512f,avx512vnni"))) static void i8_512(int64_t rounds, float *sink) {
  const __m512i a = _mm512_set1_epi8(3);
  LOOP(__m512i, _mm512_setzero_si512(), sum[i] = _mm512_dpbusd_epi32(sum[i], a, a));
}

int64_t kb_multiply(int32_t kind, int64_t rounds, float *sink) {
  const int avx512 = __builtin_cpu_supports("avx512f");
  if (kind == KB_F32 && avx512) return f32_512(rounds, sink), rounds * SUMS * 16 * 2;
  if (kind == KB_F32 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return f32_256(rounds, sink), rounds * SUMS * 8 * 2;
  if (kind == KB_BF16 && avx512 && __builtin_cpu_supports("avx512bf16"))
    return bf16_512(rounds, sink), rounds * SUMS * 32 * 2;
  if (kind == KB_I8 && avx512 && __builtin_cpu_supports("avx512vnni"))
    return i8_512(rounds, sink), rounds * SUMS * 64 * 2;
  return 0;
}

#elif defined(__aarch64__)
#include <arm_neon.h>

int64_t kb_multiply(int32_t kind, int64_t rounds, float *sink) {
  if (kind != KB_F32) return 0;
  const float32x4_t a = vdupq_n_f32(0.999f);
  float32x4_t sum[SUMS];
  for (int i = 0; i < SUMS; i++) sum[i] = a;
  for (int64_t r = 0; r < rounds; r++) {
    _Pragma("GCC unroll 12") for (int i = 0; i < SUMS; i++) {
      sum[i] = vfmaq_f32(sum[i], sum[i], a);
      __asm__ volatile("" : "+w"(sum[i]));
    }
  }
  for (int i = 1; i < SUMS; i++) sum[0] = vaddq_f32(sum[0], sum[i]);
  *sink = vgetq_lane_f32(sum[0], 0);
  return rounds * SUMS * 4 * 2;
}

#else

int64_t kb_multiply(int32_t kind, int64_t rounds, float *sink) { return 0; }

#endif

// Vectors of the compiler's: a load is all that this needs.
typedef uint64_t wide __attribute__((vector_size(64)));

#if defined(__x86_64__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
uint64_t
kb_read(const uint64_t *from, int64_t bytes) {
  wide sum[4] = {{0}};
  const wide *at = (const wide *)from;
  const int64_t n = bytes / (int64_t)sizeof(wide);
  for (int64_t i = 0; i + 4 <= n; i += 4)
    for (int j = 0; j < 4; j++) sum[j] += at[i + j];
  for (int j = 1; j < 4; j++) sum[0] += sum[j];
  uint64_t total = 0;
  for (unsigned j = 0; j < sizeof(wide) / sizeof(uint64_t); j++) total += sum[0][j];
  return total;
}
