// Tiles: a few prepared rows times one panel of 32 outputs, to out[rows][32].
//
// A tile goes over the panel in passes of NV vectors, so that the sums of all
// rows stay in registers. MR_FLOAT, MR_BYTES and MR_BLOCK are the
// most rows of one tile of each family.
#define NV 2
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
#else
#define MR_FLOAT 4
#define MR_BYTES 4
#define MR_BLOCK 2
#define EACH_FLOAT_ROWS(CALL) UP_TO_4(CALL)
#define EACH_BYTES_ROWS(CALL) UP_TO_4(CALL)
#define EACH_BLOCK_ROWS(CALL) UP_TO_2(CALL)
#endif
#define PASS (VW * NV)

#define UNROLL _Pragma("GCC unroll 16")

// What prepare made of the rows of x.
typedef struct {
  const float *f32;  // KC_X_F32, ld apart
  const uint16_t *bf16;
  const int8_t *i8;    // quants, ld apart
  const float *scale;  // per row and block
  const int32_t *sum;  // of the quants, per row and half block
  int64_t ld;
  int32_t blocks;  // scales of a row; sums are twice as many
  int32_t k;
} rows_in;

INLINE rows_in rows_from(rows_in x, int32_t row) {
  if (x.f32) x.f32 += row * x.ld;
  if (x.bf16) x.bf16 += row * x.ld;
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
#ifdef HAVE_BF16
  return (vf)_mm512_dpbf16_ps((__m512)acc, (__m512bh)w, (__m512bh)splat_int(x));
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
#if VW == 8
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
