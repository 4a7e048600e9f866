// Tiles: a few prepared rows times one panel of 32 outputs, to out[rows][32].
//
// A tile goes over the panel in passes of NV vectors, so that the sums of all
// rows stay in registers. MR_FLOAT, MR_BYTES and MR_BLOCK are the
// most rows of one tile of each family.
#if defined(__aarch64__)
#define NV 4
#else
#define NV 2
#endif
#if VW == 16
#define MR_FLOAT 12
#define MR_BYTES 12
#define MR_BLOCK 6
#define EACH_FLOAT_ROWS(CALL) UP_TO_12(CALL)
#define EACH_BYTES_ROWS(CALL) UP_TO_12(CALL)
#define EACH_BLOCK_ROWS(CALL) UP_TO_6(CALL)
#elif VW == 8
#define MR_FLOAT 6
#define MR_BYTES 4
#define MR_BLOCK 2
#define EACH_FLOAT_ROWS(CALL) UP_TO_6(CALL)
#define EACH_BYTES_ROWS(CALL) UP_TO_4(CALL)
#define EACH_BLOCK_ROWS(CALL) UP_TO_2(CALL)
#elif defined(__aarch64__)
#define MR_FLOAT 6
#define MR_BYTES 6
#define MR_BLOCK 2
#define EACH_FLOAT_ROWS(CALL) UP_TO_6(CALL)
#define EACH_BYTES_ROWS(CALL) UP_TO_6(CALL)
#define EACH_BLOCK_ROWS(CALL) UP_TO_2(CALL)
#else
#define MR_FLOAT 4
#define MR_BYTES 4
#define MR_BLOCK 2
#define EACH_FLOAT_ROWS(CALL) UP_TO_4(CALL)
#define EACH_BYTES_ROWS(CALL) UP_TO_4(CALL)
#define EACH_BLOCK_ROWS(CALL) UP_TO_2(CALL)
#endif
#define PASS (VW * NV)
// Rows of a tile that sums in f16.
#define MR_HALF 4

#define UNROLL _Pragma("GCC unroll 16")

// What prepare made of the rows of x.
typedef struct {
  const float *f32;      // KC_X_F32, ld apart
  const uint16_t *bf16;  // KC_X_BF16, or f16 of KC_X_HALF
  const int8_t *i8;      // quants, ld apart
  const float *scale;    // per row and block
  const int32_t *sum;    // of the quants, per row and half block
  int64_t ld;
  int32_t blocks;  // scales of a row; sums are twice as many
  int32_t k;
} rows_in;

INLINE rows_in rows_from(rows_in x, int32_t row) {
  if (x.f32) x.f32 += row * x.ld;
  if (x.bf16) {
    x.bf16 += row * x.ld;
    if (x.scale) x.scale += row;
  }
  if (x.i8) {
    x.i8 += row * x.ld;
    x.scale += (int64_t)row * x.blocks;
    x.sum += (int64_t)row * x.blocks * 2;
  }
  return x;
}

// fetch asks for the weights that follow 32 steps later. Only where a tile has
// rows enough that the loads leave room.
INLINE void fetch(const int mr, const void *w, int step) {
  if (mr < 4) return;
  UNROLL for (int at = 0; at < PASS * step / KC_PANEL; at += 64)
      __builtin_prefetch((const char *)w + 32 * step + at);
}

// Rows times a matrix [k][ldw] of f32 or halves, 32 columns of it; with more, on
// top of what out holds.
INLINE void tile_float(const int mr, const int half, const float *x, int64_t ldx, const void *w,
                       int64_t ldw, int32_t k, float *out, int more) {
  for (int pass = 0; pass < KC_PANEL; pass += PASS) {
    vf acc[MR_FLOAT][NV];
    UNROLL for (int i = 0; i < mr; i++) UNROLL for (int j = 0; j < NV; j++) acc[i][j] =
        more ? load(out + i * KC_PANEL + pass + j * VW) : splat(0);
    for (int32_t kk = 0; kk < k; kk++) {
      vf wv[NV];
      const char *at = (const char *)w + (kk * ldw + pass) * (half ? 2 : 4);
      fetch(mr, at, (int)ldw * (half ? 2 : 4));
      UNROLL for (int j = 0; j < NV; j++) wv[j] =
          half ? load_half((const uint16_t *)w + kk * ldw + pass + j * VW)
               : load((const float *)w + kk * ldw + pass + j * VW);
      UNROLL for (int i = 0; i < mr; i++) {
        vf b = splat(x[i * ldx + kk]);
        UNROLL for (int j = 0; j < NV; j++) acc[i][j] += b * wv[j];
      }
    }
    UNROLL for (int i = 0; i < mr; i++) UNROLL for (int j = 0; j < NV; j++)
        store(out + i * KC_PANEL + pass + j * VW, acc[i][j]);
  }
}

INLINE vf brain_low(vi pair) { return as_float(pair << 16); }
INLINE vf brain_high(vi pair) { return as_float(pair & splat_int((int32_t)0xffff0000)); }

// acc += the products of two pairs of bf16 a lane.
INLINE vf dot_brain(vf acc, vi w, int32_t x) {
#if defined(HAVE_BF16) && VW == 16
  return (vf)_mm512_dpbf16_ps((__m512)acc, (__m512bh)w, (__m512bh)splat_int(x));
#elif defined(HAVE_BF16)
  return (vf)vbfdotq_f32((float32x4_t)acc, (bfloat16x8_t)w, (bfloat16x8_t)splat_int(x));
#else
  vi xs = splat_int(x);
  acc += brain_low(w) * brain_low(xs);
  return acc + brain_high(w) * brain_high(xs);
#endif
}

INLINE int32_t load_four(const void *p) {
  int32_t x;
  memcpy(&x, p, 4);
  return x;
}

INLINE void tile_brain(const int mr, const rows_in x, const uint8_t *w, float *out, int more) {
  for (int pass = 0; pass < KC_PANEL; pass += PASS) {
    vf acc[MR_FLOAT][NV];
    UNROLL for (int i = 0; i < mr; i++) UNROLL for (int j = 0; j < NV; j++) acc[i][j] =
        more ? load(out + i * KC_PANEL + pass + j * VW) : splat(0);
    for (int32_t k = 0; k < x.k; k += 2) {
      vi wv[NV];
      fetch(mr, w + (int64_t)k * KC_PANEL * 2 + pass * 4, KC_PANEL * 4);
      UNROLL for (int j = 0; j < NV; j++) wv[j] =
          load_int(w + (int64_t)k * KC_PANEL * 2 + (pass + j * VW) * 4);
      UNROLL for (int i = 0; i < mr; i++) {
        int32_t b = load_four(x.bf16 + i * x.ld + k);
        UNROLL for (int j = 0; j < NV; j++) acc[i][j] = dot_brain(acc[i][j], wv[j], b);
      }
    }
    UNROLL for (int i = 0; i < mr; i++) UNROLL for (int j = 0; j < NV; j++)
        store(out + i * KC_PANEL + pass + j * VW, acc[i][j]);
  }
}

// acc += the products of four unsigned bytes of w and four signed bytes of x a
// lane. Where full is set the bytes of w use all eight bits around 128; AVX2
// then multiplies magnitudes, because its sums of two products saturate.
#if VW == 8 || (defined(__aarch64__) && !defined(HAVE_I8MM))
#define SIGNED_FULL 1
#else
#define SIGNED_FULL 0
#endif
INLINE vi dot_bytes(vi acc, vi w, int32_t x, const int full) {
#if VW == 16
  (void)full;
  return (vi)_mm512_dpbusd_epi32((__m512i)acc, (__m512i)w, _mm512_set1_epi32(x));
#elif VW == 8
  __m256i xs = _mm256_set1_epi32(x), ws = (__m256i)w;
  if (full) {
    ws = _mm256_xor_si256(ws, _mm256_set1_epi8((char)0x80));
    xs = _mm256_sign_epi8(xs, ws);
    ws = _mm256_abs_epi8(ws);
  }
  __m256i pairs = _mm256_maddubs_epi16(ws, xs);
  return acc + (vi)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
#elif defined(HAVE_I8MM)
  (void)full;
  return (vi)vusdotq_s32((int32x4_t)acc, (uint8x16_t)w, (int8x16_t)splat_int(x));
#elif defined(__aarch64__)
  int8x16_t xs = (int8x16_t)splat_int(x), ws = (int8x16_t)w;
  if (full) ws = (int8x16_t)veorq_u8((uint8x16_t)w, vdupq_n_u8(0x80));
#ifdef HAVE_DOTPROD
  return (vi)vdotq_s32((int32x4_t)acc, ws, xs);
#else
  // Two products of bytes above -128 fit 16 bits.
  int16x8_t low = vmull_s8(vget_low_s8(ws), vget_low_s8(xs)), high = vmull_high_s8(ws, xs);
  return (vi)vpadalq_s16((int32x4_t)acc, vpaddq_s16(low, high));
#endif
#else
  (void)full;
  UNROLL for (int b = 0; b < 4; b++) acc +=
      (w >> 8 * b & splat_int(255)) * splat_int((int8_t)((uint32_t)x >> 8 * b));
  return acc;
#endif
}

// Rows of bytes times a panel of bytes with one scale per output.
INLINE void tile_bytes(const int mr, const rows_in x, const uint8_t *w, const float *scale,
                       float *out) {
  for (int pass = 0; pass < KC_PANEL; pass += PASS) {
    vi acc[MR_BYTES][NV];
    UNROLL for (int i = 0; i < mr; i++) UNROLL for (int j = 0; j < NV; j++) acc[i][j] =
        splat_int(SIGNED_FULL ? 0 : -128 * x.sum[i * x.blocks * 2]);
    for (int32_t k = 0; k < x.k; k += 4) {
      vi wv[NV];
      fetch(mr, w + (int64_t)k * KC_PANEL + pass * 4, KC_PANEL * 4);
      UNROLL for (int j = 0; j < NV; j++) wv[j] =
          load_int(w + (int64_t)k * KC_PANEL + (pass + j * VW) * 4);
      UNROLL for (int i = 0; i < mr; i++) {
        int32_t b = load_four(x.i8 + i * x.ld + k);
        UNROLL for (int j = 0; j < NV; j++) acc[i][j] = dot_bytes(acc[i][j], wv[j], b, 1);
      }
    }
    UNROLL for (int i = 0; i < mr; i++) UNROLL for (int j = 0; j < NV; j++)
        store(out + i * KC_PANEL + pass + j * VW,
              to_float(acc[i][j]) * load(scale + pass + j * VW) * splat(x.scale[i * x.blocks]));
  }
}

#if defined(HAVE_DOTPROD) && defined(__aarch64__)
// Inputs whose products are summed in f16 before they go into a sum of f32: all
// are at most 1 and 2, so that nothing overflows, and few enough that the
// rounding stays below that of bf16.
#define HALF_RUN 16

// Rows of f16 times a panel of f16.
INLINE void tile_half(const int mr, const rows_in x, const uint8_t *w, const float *scale,
                      float *out, int more) {
  const float16_t *panel = (const float16_t *)w, *rows = (const float16_t *)x.bf16;
  for (int pass = 0; pass < KC_PANEL; pass += 16) {
    vf acc[MR_HALF][4];
    UNROLL for (int i = 0; i < mr; i++) UNROLL for (int j = 0; j < 4; j++) acc[i][j] = splat(0);
    for (int32_t from = 0; from < x.k; from += HALF_RUN) {
      int32_t to = from + HALF_RUN < x.k ? from + HALF_RUN : x.k;
      float16x8_t sum[MR_HALF][2];
      UNROLL for (int i = 0; i < mr; i++) sum[i][0] = sum[i][1] = vdupq_n_f16(0);
      for (int32_t k = from; k < to; k++) {
        float16x8_t a = vld1q_f16(panel + k * KC_PANEL + pass);
        float16x8_t b = vld1q_f16(panel + k * KC_PANEL + pass + 8);
        UNROLL for (int i = 0; i < mr; i++) {
          float16x8_t xs = vld1q_dup_f16(rows + i * x.ld + k);
          sum[i][0] = vfmaq_f16(sum[i][0], a, xs);
          sum[i][1] = vfmaq_f16(sum[i][1], b, xs);
        }
      }
      UNROLL for (int i = 0; i < mr; i++) UNROLL for (int j = 0; j < 2; j++) {
        acc[i][2 * j] += (vf)vcvt_f32_f16(vget_low_f16(sum[i][j]));
        acc[i][2 * j + 1] += (vf)vcvt_high_f32_f16(sum[i][j]);
      }
    }
    UNROLL for (int i = 0; i < mr; i++) UNROLL for (int j = 0; j < 4; j++) {
      float *y = out + i * KC_PANEL + pass + j * 4;
      vf v = acc[i][j] * load(scale + pass + j * 4) * splat(x.scale[i]);
      store(y, more ? load(y) + v : v);
    }
  }
}
#endif
