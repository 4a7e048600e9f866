// Rows on their way into a product: normalised, then rounded to its format.

// What normalises one row: (x-mean)·scale·gain + bias.
typedef struct {
  const float *gain, *bias;
  vf mean, scale;
  int plain;
} row_norm;

// Sums that a loop keeps side by side: one alone would wait for itself.
#define CHAINS 4

static float row_sum(const float *x, int32_t n) {
  vf sum[CHAINS] = {splat(0), splat(0), splat(0), splat(0)};
  int32_t i = 0;
  for (; i + CHAINS * VW <= n; i += CHAINS * VW)
    UNROLL for (int c = 0; c < CHAINS; c++) sum[c] += load(x + i + c * VW);
  for (; i + VW <= n; i += VW) sum[0] += load(x + i);
  if (i < n) sum[1] += load_some(x + i, n - i, 0);
  return sum_of((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

static float row_squares(const float *x, int32_t n, float mean) {
  vf sum[CHAINS] = {splat(0), splat(0), splat(0), splat(0)}, m = splat(mean);
  int32_t i = 0;
  for (; i + CHAINS * VW <= n; i += CHAINS * VW) {
    UNROLL for (int c = 0; c < CHAINS; c++) {
      vf d = load(x + i + c * VW) - m;
      sum[c] += d * d;
    }
  }
  for (; i < n; i += VW) {
    vf d = (i + VW <= n ? load(x + i) : load_some(x + i, n - i, mean)) - m;
    sum[0] += d * d;
  }
  return sum_of((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

// row_poison is 0, or not a number where an element of the row is none or is
// infinite: rounding to integers would hide it.
static float row_poison(const float *x, int32_t n) {
  vf sum[CHAINS] = {splat(0), splat(0), splat(0), splat(0)};
  int32_t i = 0;
  for (; i + CHAINS * VW <= n; i += CHAINS * VW)
    UNROLL for (int c = 0; c < CHAINS; c++) sum[c] += load(x + i + c * VW) * splat(0);
  for (; i < n; i += VW)
    sum[0] += (i + VW <= n ? load(x + i) : load_some(x + i, n - i, 0)) * splat(0);
  return sum_of((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

enum { LAYER, RMS, L2 };

static row_norm norm_of(const kc_norm *norm, const float *x, int32_t n) {
  row_norm r = {norm->gain, norm->bias, splat(0), splat(1), 1};
  if (norm->kind < 0) return r;
  r.plain = 0;
  float mean = norm->kind == LAYER ? row_sum(x, n) / (float)n : 0;
  float squares = row_squares(x, n, mean), scale;
  if (norm->kind == L2)
    scale = 1 / fmaxf(sqrtf(squares), norm->epsilon);
  else
    scale = 1 / sqrtf(squares / (float)n + norm->epsilon);
  r.mean = splat(mean);
  r.scale = splat(scale);
  return r;
}

// VW numbers of a row, normalised; the last few of a row by norm_some.
INLINE vf norm_at(const row_norm *r, const float *x, int32_t i) {
  vf v = load(x + i);
  if (r->plain) return v;
  v = (v - r->mean) * r->scale;
  if (r->gain) v *= load(r->gain + i);
  if (r->bias) v += load(r->bias + i);
  return v;
}

static vf norm_some(const row_norm *r, const float *x, int32_t i, int32_t n) {
  vf v = load_some(x + i, n, 0);
  if (!r->plain) {
    v = (v - r->mean) * r->scale;
    if (r->gain) v *= load_some(r->gain + i, n, 0);
    if (r->bias) v += load_some(r->bias + i, n, 0);
  }
  return v;
}

// norm_any is either, with zeros after the end of the row.
INLINE vf norm_any(const row_norm *r, const float *x, int32_t i, int32_t n) {
  if (i + VW <= n) return norm_at(r, x, i);
  if (i >= n) return splat(0);
  vf v = norm_some(r, x, i, n - i);
  float buffer[VW];
  store(buffer, v);
  return load_some(buffer, n - i, 0);
}

typedef signed char vb __attribute__((vector_size(VW)));
typedef uint16_t vh __attribute__((vector_size(VW * 2)));
typedef uint32_t vu __attribute__((vector_size(VW * 4)));

static void norm_row(float *y, const float *x, const kc_norm *norm, int32_t n) {
  row_norm r = norm_of(norm, x, n);
  int32_t i = 0;
  for (; i + VW <= n; i += VW) store(y + i, norm_at(&r, x, i));
  if (i < n) store_some(y + i, norm_some(&r, x, i, n - i), n - i);
}

static void brain_row(uint16_t *y, const float *x, const kc_norm *norm, int32_t n) {
  row_norm r = norm_of(norm, x, n);
  for (int32_t i = 0; i < kc_prepared_stride(n); i += VW) {
    vf v = norm_any(&r, x, i, n);
    vu bits = (vu)v;
    vu round = (bits + 0x7fff + (bits >> 16 & 1)) >> 16, quiet = bits >> 16 | 0x40;
    vh h = __builtin_convertvector((vu)choose(v != v, (vf)quiet, (vf)round), vh);
    memcpy(y + i, &h, sizeof h);
  }
}

// round_bytes rounds v·inverse to signed bytes and gives them as integers.
INLINE vi round_bytes(int8_t *q, vf v, vf inverse) {
  const vf magic = splat(12582912.0f);
  v = smaller(larger(v * inverse, splat(-127)), splat(127));
  vi n = as_int(v + magic) - as_int(magic);
  vb bytes = __builtin_convertvector(n, vb);
  memcpy(q, &bytes, sizeof bytes);
  return n;
}

INLINE int32_t total_of(vi v) {
#if VW == 16
  return _mm512_reduce_add_epi32((__m512i)v);
#else
  int32_t sum = 0;
  for (int i = 0; i < VW; i++) sum += v[i];
  return sum;
#endif
}

static void block_row(int8_t *q, float *scale, int32_t *sum, const float *x, const kc_norm *norm,
                      int32_t n) {
  row_norm r = norm_of(norm, x, n);
  float poison = row_poison(x, n);
  for (int32_t b = 0; b < n; b += KC_BLOCK, sum += 2) {
    vf v[KC_BLOCK / VW], top = splat(0);
    UNROLL for (int i = 0; i < KC_BLOCK / VW; i++) {
      v[i] = norm_at(&r, x, b + i * VW);
      top = larger(magnitude(v[i]), top);
    }
    float limit = max_of(top);
    *scale++ = limit / 127 + poison;
    vf inverse = splat(limit > 0 ? 127 / limit : 0);
    sum[0] = sum[1] = 0;
    UNROLL for (int i = 0; i < KC_BLOCK / VW; i++) sum[i * VW / 16] +=
        total_of(round_bytes(q + b + i * VW, v[i], inverse));
  }
}

// top_of is the largest magnitude of a row once normalised; what is not a
// number does not count.
INLINE float top_of(const row_norm *r, const float *x, int32_t n) {
  vf top[CHAINS] = {splat(0), splat(0), splat(0), splat(0)};
  int32_t i = 0;
  for (; i + CHAINS * VW <= n; i += CHAINS * VW)
    UNROLL for (int c = 0; c < CHAINS; c++) top[c] =
        larger(magnitude(norm_at(r, x, i + c * VW)), top[c]);
  for (; i < n; i += VW) top[0] = larger(magnitude(norm_any(r, x, i, n)), top[0]);
  return max_of(larger(larger(top[0], top[1]), larger(top[2], top[3])));
}

INLINE int32_t round_row(int8_t *q, const row_norm *r, const float *x, int32_t n, float limit) {
  vf inverse = splat(limit > 0 ? 127 / limit : 0);
  vi sum[2] = {splat_int(0), splat_int(0)};
  int32_t i = 0;
  for (; i + 2 * VW <= n; i += 2 * VW)
    UNROLL for (int c = 0; c < 2; c++) sum[c] +=
        round_bytes(q + i + c * VW, norm_at(r, x, i + c * VW), inverse);
  for (; i < kc_prepared_stride(n); i += VW)
    sum[0] += round_bytes(q + i, norm_any(r, x, i, n), inverse);
  return total_of(sum[0] + sum[1]);
}

// byte_row rounds a row to bytes of one scale. A limit that a calibration has
// measured, the magnitude of 127, spares the search for the row's own.
static void byte_row(int8_t *q, float *scale, int32_t *sum, const float *x, const kc_norm *norm,
                     int32_t n, float limit) {
  row_norm r = norm_of(norm, x, n);
  sum[1] = 0;
  *scale = row_poison(x, n);
  // Each of both is compiled by itself, so that its loops do not ask again.
  if (r.plain) {
    r = (row_norm){.plain = 1};
    if (limit == 0) limit = top_of(&r, x, n);
    sum[0] = round_row(q, &r, x, n, limit);
  } else {
    r.plain = 0;
    if (limit == 0) limit = top_of(&r, x, n);
    sum[0] = round_row(q, &r, x, n, limit);
  }
  *scale += limit / 127;
}

#if defined(HAVE_DOTPROD) && defined(__aarch64__)
// half_row rounds a row to f16 over a power of two that leaves none above 2.
static void half_row(uint16_t *y, float *scale, const float *x, const kc_norm *norm, int32_t n) {
  row_norm r = norm_of(norm, x, n);
  int exponent;
  frexpf(fminf(top_of(&r, x, n), 0x1p126f), &exponent);
  if (exponent < -125) exponent = -125;
  vf inverse = splat(ldexpf(1, -exponent));
  *scale = ldexpf(1, exponent) + row_poison(x, n);
  for (int32_t i = 0; i < kc_prepared_stride(n); i += VW)
    vst1_u16(y + i,
             vreinterpret_u16_f16(vcvt_f16_f32((float32x4_t)(norm_any(&r, x, i, n) * inverse))));
}
#endif

// prepared gives the rows that lie, or will lie, in scratch memory of rows rows.
static rows_in prepared(int32_t format, void *scratch, int32_t inputs, int32_t rows) {
  rows_in in = {.ld = kc_prepared_stride(inputs), .k = inputs};
  switch (format) {
    case KC_X_F32:
      in.f32 = scratch;
      return in;
    case KC_X_BF16:
      in.bf16 = scratch;
      return in;
  }
  if (format == KC_X_HALF) {
    in.bf16 = scratch;
    in.scale = (const float *)((char *)scratch + in.ld * 2 * rows);
    return in;
  }
  in.blocks = kc_prepared_blocks(format, inputs);
  in.i8 = scratch;
  char *after = (char *)scratch + (in.ld * rows + 63) / 64 * 64;
  in.scale = (const float *)after;
  in.sum = (const int32_t *)(after + ((int64_t)rows * in.blocks * 4 + 63) / 64 * 64);
  return in;
}

static void prepare_row(rows_in in, int32_t format, float range, const kc_norm *norm,
                        const float *x) {
  switch (format) {
    case KC_X_F32:
      norm_row((float *)in.f32, x, norm, in.k);
      break;
    case KC_X_BF16:
      brain_row((uint16_t *)in.bf16, x, norm, in.k);
      break;
#if defined(HAVE_DOTPROD) && defined(__aarch64__)
    case KC_X_HALF:
      half_row((uint16_t *)in.bf16, (float *)in.scale, x, norm, in.k);
      break;
#endif
    case KC_X_I8_ROW:
      byte_row((int8_t *)in.i8, (float *)in.scale, (int32_t *)in.sum, x, norm, in.k, range);
      break;
    default:
      block_row((int8_t *)in.i8, (float *)in.scale, (int32_t *)in.sum, x, norm, in.k);
  }
}

static void prepare_rows(const kc_ctx *c, const void *op, int32_t from, int32_t to) {
  const kc_product *p = op;
  rows_in in = prepared(p->format, c->at[p->scratch], p->x.cols, kc_len(c, p->x.rows));
  for (int32_t r = from; r < to; r++)
    prepare_row(rows_from(in, r), p->format, p->range, &p->norm, kc_f32(c, p->x, r));
}
