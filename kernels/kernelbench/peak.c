#include "peak.h"

#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

// Independent sums: enough to hide the latency of a multiply-add on units that
// start two a cycle, and few enough to stay in registers. Each is a variable of
// its own, because a compiler may keep an array in memory.
#define SUMS 12
#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)

// LOOP declares the sums as START and repeats STEP(n), which adds to sum n. The
// empty assembly keeps the compiler from computing rounds at once.
#define LOOP(VECTOR, START, STEP, REGISTER)                                                  \
  VECTOR s0 = START, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;          \
  VECTOR s8 = s0, s9 = s0, s10 = s0, s11 = s0;                                               \
  for (int64_t r = 0; r < rounds; r++) {                                                     \
    EACH(STEP)                                                                               \
    __asm__ volatile(""                                                                      \
                     : REGISTER(s0), REGISTER(s1), REGISTER(s2), REGISTER(s3), REGISTER(s4), \
                       REGISTER(s5), REGISTER(s6), REGISTER(s7), REGISTER(s8), REGISTER(s9), \
                       REGISTER(s10), REGISTER(s11));                                        \
  }                                                                                          \
  const VECTOR total = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9 + s10 + s11;          \
  memcpy(sink, &total, sizeof(float))

#if defined(__x86_64__)
#include <immintrin.h>

#define IN_VECTOR(s) "+v"(s)
#define STEP_F32_512(n) s##n = _mm512_fmadd_ps(s##n, a, b);
#define STEP_F32_256(n) s##n = _mm256_fmadd_ps(s##n, a, b);
#define STEP_BF16(n) s##n = _mm512_dpbf16_ps(s##n, a, a);
#define STEP_I8(n) s##n = _mm512_dpbusd_epi32(s##n, a, a);

__attribute__((target("avx512f"))) static void f32_512(int64_t rounds, float *sink) {
  const __m512 a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(0.001f);
  LOOP(__m512, a, STEP_F32_512, IN_VECTOR);
}

__attribute__((target("avx2,fma"))) static void f32_256(int64_t rounds, float *sink) {
  const __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(0.001f);
  LOOP(__m256, a, STEP_F32_256, IN_VECTOR);
}

__attribute__((target("avx512f,avx512bf16"))) static void bf16_512(int64_t rounds, float *sink) {
  const __m512bh a = (__m512bh)_mm512_set1_epi16(0x3c00);
  LOOP(__m512, _mm512_setzero_ps(), STEP_BF16, IN_VECTOR);
}

__attribute__((target("avx512f,avx512vnni"))) static void i8_512(int64_t rounds, float *sink) {
  const __m512i a = _mm512_set1_epi8(3);
  LOOP(__m512i, _mm512_setzero_si512(), STEP_I8, IN_VECTOR);
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

#define IN_VECTOR(s) "+w"(s)
#define STEP_F32(n) s##n = vfmaq_f32(s##n, s##n, a);

int64_t kb_multiply(int32_t kind, int64_t rounds, float *sink) {
  if (kind != KB_F32) return 0;
  const float32x4_t a = vdupq_n_f32(0.999f);
  LOOP(float32x4_t, a, STEP_F32, IN_VECTOR);
  return rounds * SUMS * 4 * 2;
}

#else

int64_t kb_multiply(int32_t kind, int64_t rounds, float *sink) {
  (void)kind, (void)rounds, (void)sink;
  return 0;
}

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

void *kb_memory(int64_t bytes) {
  const size_t large = (size_t)2 << 20;
  void *memory;
  if (posix_memalign(&memory, large, (size_t)bytes) != 0) return NULL;
#ifdef MADV_HUGEPAGE
  madvise(memory, (size_t)bytes, MADV_HUGEPAGE);  // a wish, as in kernels/cpu
#endif
  return memset(memory, 1, (size_t)bytes);
}
