// Vectors of VW floats by the compiler's vector extension, which every target
// has, and the few operations that need the processor's own instructions.
// Included once by each level after VW and the target are set.
#include <math.h>
#include <string.h>

#include "internal.h"
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define INLINE static inline __attribute__((always_inline))

typedef float vf __attribute__((vector_size(VW * 4)));
typedef int32_t vi __attribute__((vector_size(VW * 4)));
typedef float vf_loose __attribute__((vector_size(VW * 4), aligned(4), may_alias));
typedef int32_t vi_loose __attribute__((vector_size(VW * 4), aligned(1), may_alias));

INLINE vf load(const float *p) { return *(const vf_loose *)p; }
INLINE void store(float *p, vf v) { *(vf_loose *)p = v; }
INLINE vi load_int(const void *p) { return *(const vi_loose *)p; }

INLINE vf splat(float x) {
#if VW == 16
  return (vf)_mm512_set1_ps(x);
#elif VW == 8
  return (vf)_mm256_set1_ps(x);
#else
  return (vf){x, x, x, x};
#endif
}

INLINE vi splat_int(int32_t x) {
#if VW == 16
  return (vi)_mm512_set1_epi32(x);
#elif VW == 8
  return (vi)_mm256_set1_epi32(x);
#else
  return (vi){x, x, x, x};
#endif
}

INLINE vf as_float(vi v) { return (vf)v; }
INLINE vi as_int(vf v) { return (vi)v; }
INLINE vf to_float(vi v) { return __builtin_convertvector(v, vf); }
INLINE vf choose(vi mask, vf yes, vf no) {
  return as_float((mask & as_int(yes)) | (~mask & as_int(no)));
}

// The larger or smaller of both, b where a is not a number.
INLINE vf larger(vf a, vf b) {
#if VW == 16
  return (vf)_mm512_max_ps((__m512)a, (__m512)b);
#elif VW == 8
  return (vf)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__aarch64__)
  return (vf)vmaxnmq_f32((float32x4_t)a, (float32x4_t)b);
#else
  return choose(a > b, a, b);
#endif
}
INLINE vf smaller(vf a, vf b) {
#if VW == 16
  return (vf)_mm512_min_ps((__m512)a, (__m512)b);
#elif VW == 8
  return (vf)_mm256_min_ps((__m256)a, (__m256)b);
#elif defined(__aarch64__)
  return (vf)vminnmq_f32((float32x4_t)a, (float32x4_t)b);
#else
  return choose(a < b, a, b);
#endif
}
INLINE vf magnitude(vf a) { return as_float(as_int(a) & splat_int(0x7fffffff)); }

#if VW == 8
// The mask of the first n lanes.
INLINE __m256i first_lanes(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
#endif

// The first n floats, fill for the rest; n is 0 to VW.
INLINE vf load_some(const float *p, int n, float fill) {
#if VW == 16
  return (vf)_mm512_mask_loadu_ps((__m512)splat(fill), (__mmask16)((1u << n) - 1), p);
#elif VW == 8
  __m256i mask = first_lanes(n);
  return (vf)_mm256_blendv_ps((__m256)splat(fill), _mm256_maskload_ps(p, mask),
                              _mm256_castsi256_ps(mask));
#else
  float buffer[VW];
  for (int i = 0; i < VW; i++) buffer[i] = i < n ? p[i] : fill;
  return load(buffer);
#endif
}

INLINE void store_some(float *p, vf v, int n) {
#if VW == 16
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#elif VW == 8
  _mm256_maskstore_ps(p, first_lanes(n), (__m256)v);
#else
  float buffer[VW];
  store(buffer, v);
  memcpy(p, buffer, (size_t)n * 4);
#endif
}

INLINE float sum_of(vf v) {
#if VW == 16
  return _mm512_reduce_add_ps((__m512)v);
#else
  float s = 0;
  for (int i = 0; i < VW; i += 4) s += (v[i] + v[i + 1]) + (v[i + 2] + v[i + 3]);
  return s;
#endif
}

INLINE float max_of(vf v) {
#if VW == 16
  return _mm512_reduce_max_ps((__m512)v);
#else
  float s = v[0];
  for (int i = 1; i < VW; i++) s = s > v[i] ? s : v[i];
  return s;
#endif
}

INLINE vf root(vf v) {
#if VW == 16
  return (vf)_mm512_sqrt_ps((__m512)v);
#elif VW == 8
  return (vf)_mm256_sqrt_ps((__m256)v);
#elif defined(__aarch64__)
  return (vf)vsqrtq_f32((float32x4_t)v);
#else
  for (int i = 0; i < VW; i++) v[i] = sqrtf(v[i]);
  return v;
#endif
}

// VW halves as floats.
INLINE vf load_half(const uint16_t *p) {
#if VW == 16
  return (vf)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
#elif VW == 8
  return (vf)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
#elif defined(__aarch64__)
  typedef __fp16 vh __attribute__((vector_size(VW * 2), aligned(2), may_alias));
  return __builtin_convertvector(*(const vh *)p, vf);
#else
  vf v;
  for (int i = 0; i < VW; i++) v[i] = kc_half_to_float(p[i]);
  return v;
#endif
}

INLINE vf load_brain(const uint16_t *p) {
  typedef uint16_t vh_loose __attribute__((vector_size(VW * 2), aligned(2), may_alias));
  typedef uint32_t vu __attribute__((vector_size(VW * 4)));
  return (vf)(__builtin_convertvector(*(const vh_loose *)p, vu) << 16);
}

// x·2^n for whole n from -126 to 127.
INLINE vf scale_two(vf x, vi n) { return x * as_float((n + 127) << 23); }

// eˣ within 2 units in the last place; 0 below -87.3; not a number stays so.
INLINE vf exp_of(vf x) {
  vf low = splat(-87.3f);
  vi dead = x < low, lost = x != x;
  vf kept = x;
  x = smaller(larger(x, low), splat(88.3f));
  const vf magic = splat(12582912.0f);  // 1.5·2²³: adding it rounds
  vf n = x * splat(1.44269504f) + magic;
  vi exponent = as_int(n) - as_int(magic);
  n -= magic;
  vf r = x - n * splat(0.693359375f) + n * splat(2.12194440e-4f);
  vf p = splat(1.9875691500e-4f);
  p = p * r + splat(1.3981999507e-3f);
  p = p * r + splat(8.3334519073e-3f);
  p = p * r + splat(4.1665795894e-2f);
  p = p * r + splat(1.6666665459e-1f);
  p = p * r + splat(5.0000001201e-1f);
  p = p * r * r + r + splat(1);
  return choose(lost, kept, choose(dead, splat(0), scale_two(p, exponent)));
}

INLINE vf sigmoid_of(vf x) { return splat(1) / (splat(1) + exp_of(-x)); }

// tanh by a polynomial near 0, where the formula with eˣ would cancel.
INLINE vf tanh_of(vf x) {
  vf a = magnitude(x), z = x * x;
  vf p = splat(-5.70498872745e-3f);
  p = p * z + splat(2.06390887954e-2f);
  p = p * z + splat(-5.37397155531e-2f);
  p = p * z + splat(1.33314422036e-1f);
  p = p * z + splat(-3.33332819422e-1f);
  vf near = p * z * x + x;
  vf far = splat(1) - splat(2) / (exp_of(a + a) + splat(1));
  far = choose(x < splat(0), -far, far);
  return choose(a < splat(0.625f), near, far);
}

// erfc(|z|) = e^(-z²)·t·P(t), t = 1/(1+|z|/2); P is a least-squares fit with a
// relative error of 4e-8 for |z| ≤ 9.2, beyond which the result is below f32.
INLINE vf erfc_of_magnitude(vf a) {
  static const float fit[] = {0.28208873f, 0.28233567f, 0.24338855f, 0.20157178f,  -0.024013203f,
                              0.2743027f,  -0.4839299f, 0.2830041f,  -0.058748454f};
  vf t = splat(1) / (splat(1) + splat(0.5f) * a);
  vf p = splat(fit[8]);
  for (int i = 7; i >= 0; i--) p = p * t + splat(fit[i]);
  return p * t * exp_of(-(a * a));
}

INLINE vf gelu_of(vf x) {
  vf tail = splat(0.5f) * erfc_of_magnitude(magnitude(x) * splat(0.70710678f));
  return x * choose(x > splat(0), splat(1) - tail, tail);
}

INLINE vf gelu_tanh_of(vf x) {
  vf inner = splat(0.79788456f) * (x + splat(0.044715f) * x * x * x);
  return splat(0.5f) * x * (splat(1) + tanh_of(inner));
}

// The activations, numbered as kernels.Activation.
enum { IDENTITY, GELU, GELU_TANH, QUICK_GELU, SILU, RELU, SIGMOID, TANH };

INLINE vf activate_as(int act, vf x) {
  switch (act) {
    case GELU:
      return gelu_of(x);
    case GELU_TANH:
      return gelu_tanh_of(x);
    case QUICK_GELU:
      return x * sigmoid_of(splat(1.702f) * x);
    case SILU:
      return x * sigmoid_of(x);
    case RELU:
      return choose(x < splat(0), splat(0), x);
    case SIGMOID:
      return sigmoid_of(x);
    case TANH:
      return tanh_of(x);
    default:
      return x;
  }
}

// activate_loop is activate_as with act known, so that the loop has no switch.
INLINE void activate_loop(const int act, float *y, const float *x, int64_t n) {
  int64_t i = 0;
  for (; i + VW <= n; i += VW) store(y + i, activate_as(act, load(x + i)));
  int rest = (int)(n - i);
  if (rest > 0) store_some(y + i, activate_as(act, load_some(x + i, rest, 0)), rest);
}

static void activate_array(int act, float *y, const float *x, int64_t n) {
  switch (act) {
    case GELU:
      activate_loop(GELU, y, x, n);
      break;
    case GELU_TANH:
      activate_loop(GELU_TANH, y, x, n);
      break;
    case QUICK_GELU:
      activate_loop(QUICK_GELU, y, x, n);
      break;
    case SILU:
      activate_loop(SILU, y, x, n);
      break;
    case RELU:
      activate_loop(RELU, y, x, n);
      break;
    case SIGMOID:
      activate_loop(SIGMOID, y, x, n);
      break;
    case TANH:
      activate_loop(TANH, y, x, n);
      break;
    default:
      if (y != x) memmove(y, x, (size_t)n * 4);
  }
}

// store_row writes n floats as a state holds them.
static void store_row(int32_t type, void *row, int64_t at, const float *x, int32_t n) {
  if (type == KC_F32) {
    memcpy((float *)row + at, x, (size_t)n * 4);
    return;
  }
  uint16_t *y = (uint16_t *)row + at;
  int32_t i = 0;
#if VW == 16
  for (; type == KC_F16 && i + VW <= n; i += VW)
    _mm256_storeu_si256((__m256i *)(y + i),
                        _mm512_cvtps_ph((__m512)load(x + i), _MM_FROUND_TO_NEAREST_INT));
#elif defined(__aarch64__)
  for (; type == KC_F16 && i + VW <= n; i += VW)
    vst1_u16(y + i, vreinterpret_u16_f16(vcvt_f16_f32((float32x4_t)load(x + i))));
#endif
  for (; i < n; i++) y[i] = type == KC_F16 ? kc_float_to_half(x[i]) : kc_float_to_brain(x[i]);
}

// load_typed reads VW numbers of a state.
INLINE vf load_typed(const int type, const void *p, int64_t at) {
  if (type == KC_F32) return load((const float *)p + at);
  if (type == KC_F16) return load_half((const uint16_t *)p + at);
  return load_brain((const uint16_t *)p + at);
}

static float typed_at(int32_t type, const void *p, int64_t at) {
  if (type == KC_F32) return ((const float *)p)[at];
  uint16_t h = ((const uint16_t *)p)[at];
  if (type == KC_F16) return kc_half_to_float(h);
  uint32_t bits = (uint32_t)h << 16;
  float f;
  memcpy(&f, &bits, 4);
  return f;
}

// over_rows runs rows_of for all rows, on all threads where that pays.
typedef void (*rows_of)(const kc_ctx *c, const void *op, int32_t from, int32_t to);

struct rows_job {
  const kc_ctx *c;
  const void *op;
  rows_of work;
  int32_t rows, each;
};

static void rows_chunk(void *arg, int32_t chunk, int32_t thread) {
  (void)thread;
  struct rows_job *j = arg;
  int32_t from = chunk * j->each, to = from + j->each;
  j->work(j->c, j->op, from, to < j->rows ? to : j->rows);
}

// Numbers that one thread handles faster than two can share.
#define SERIAL 8192

static void over_rows(const kc_ctx *c, const void *op, rows_of work, int32_t rows, int64_t cost) {
  if (rows <= 0) return;
  if (!c->pool || rows * cost < SERIAL) {
    work(c, op, 0, rows);
    return;
  }
  int32_t each = (rows + c->threads * 4 - 1) / (c->threads * 4);
  struct rows_job j = {c, op, work, rows, each};
  kc_parallel(c->pool, rows_chunk, &j, (rows + each - 1) / each);
}
