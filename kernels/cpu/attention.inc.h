// Attention. With few queries each key is read once and multiplied with the
// queries of all heads that share it. With many, keys are first transposed into
// panels of 32, values cut into panels of 32 channels, and both products run as
// tiles; queries of one key head are taken together, head after head.

struct attention_job {
  const kc_ctx *c;
  const kc_attention *a;
  int32_t head, share;  // channels of a head; heads to a key head
  int32_t rows, keys, past;
  int32_t tile;  // (query, head) pairs in one chunk
  int32_t tiles;
  int32_t batch;  // of the keys packed now
  float *packed_k, *packed_v;
};

static int64_t up_to_panel(int64_t n) { return (n + KC_PANEL - 1) / KC_PANEL * KC_PANEL; }

// visible gives the keys low <= j < high that query i may see.
static void visible(const struct attention_job *j, int32_t i, int32_t *low, int32_t *high) {
  *high = j->keys;
  if (j->a->causal && j->past + i + 1 < *high) *high = j->past + i + 1;
  *low = j->a->window > 0 && *high > j->a->window ? *high - j->a->window : 0;
}

// soften turns the scores of one query into probabilities; those outside
// low..high and those that the mask hides become 0. It gives 1/sum, 0 if none
// is left.
static float soften(const struct attention_job *j, float *scores, int32_t i, int32_t end) {
  const kc_attention *a = j->a;
  int32_t low, high;
  visible(j, i, &low, &high);
  // What is large stays large where the scale is positive: then it can wait.
  float scale = a->scale > 0 && a->softcap <= 0 ? a->scale : 1;
  if (scale != a->scale) scale_row(scores, scores, high, a->scale, 0);
  if (a->softcap > 0) {
    scale_row(scores, scores, high, 1 / a->softcap, 0);
    activate_array(TANH, scores, scores, high);
    scale_row(scores, scores, high, a->softcap, 0);
  }
  if (a->mask >= 0) {
    const uint8_t *mask = (const uint8_t *)j->c->at[a->mask] + (int64_t)i * a->mask_ld;
    for (int32_t k = low; k < high; k++)
      if (!mask[k]) scores[k] = -INFINITY;
  }
  float top = high > low ? max_row(scores + low, high - low) : -INFINITY;
  memset(scores, 0, (size_t)low * 4);
  memset(scores + high, 0, (size_t)(end - high) * 4);
  if (top == -INFINITY) {
    memset(scores, 0, (size_t)end * 4);
    return 0;
  }
  return 1 / exp_row(scores + low, scores + low, high - low, top, scale);
}

// Keys that are asked for so many before their turn: the rows of one head lie
// apart, and the processor does not guess them.
#define AHEAD 8

INLINE void fetch_row(const int type, const void *p, int64_t at, int32_t n) {
  const int size = type == KC_F32 ? 4 : 2;
  for (int32_t i = 0; i < n * size; i += 64) __builtin_prefetch((const char *)p + at * size + i);
}

// Dot products of the queries of one key head with key k.
INLINE void few_scores(const int type, const int share, const float *q, int32_t head, const void *k,
                       int64_t at, int64_t ahead, float *scores, int64_t ld) {
  vf sum[4];
  UNROLL for (int h = 0; h < share; h++) sum[h] = splat(0);
  int32_t d = 0;
  fetch_row(type, k, at + ahead, head);
  for (; d + VW <= head; d += VW) {
    vf kv = load_typed(type, k, at + d);
    UNROLL for (int h = 0; h < share; h++) sum[h] += load(q + h * head + d) * kv;
  }
  for (int h = 0; h < share; h++) {
    float s = sum_of(sum[h]);
    for (int32_t rest = d; rest < head; rest++)
      s += q[h * head + rest] * typed_at(type, k, at + rest);
    scores[h * ld] = s;
  }
}

// few_channels is n vectors of channels of few_values: each value is read once.
INLINE void few_channels(const int type, const int share, const int n, float *acc, int32_t head,
                         const void *v, int64_t at, int64_t ldv, const float *p, int64_t ld,
                         int32_t keys) {
  vf sum[4][4];
  UNROLL for (int h = 0; h < share; h++) UNROLL for (int i = 0; i < n; i++) sum[h][i] = splat(0);
  for (int32_t k = 0; k < keys; k++) {
    vf x[4];
    fetch_row(type, v, at + (k + AHEAD) * ldv, n * VW);
    UNROLL for (int i = 0; i < n; i++) x[i] = load_typed(type, v, at + k * ldv + i * VW);
    UNROLL for (int h = 0; h < share; h++) UNROLL for (int i = 0; i < n; i++) sum[h][i] +=
        splat(p[h * ld + k]) * x[i];
  }
  UNROLL for (int h = 0; h < share; h++) UNROLL for (int i = 0; i < n; i++)
      store(acc + h * head + i * VW, sum[h][i]);
}

// Sums of values, weighted: acc = p·v for the heads of one key head.
INLINE void few_values(const int type, const int share, float *acc, int32_t head, const void *v,
                       int64_t at, int64_t ldv, const float *p, int64_t ld, int32_t keys) {
  int32_t d = 0;
  for (; d + 4 * VW <= head; d += 4 * VW)
    few_channels(type, share, 4, acc + d, head, v, at + d, ldv, p, ld, keys);
  for (; d + VW <= head; d += VW)
    few_channels(type, share, 1, acc + d, head, v, at + d, ldv, p, ld, keys);
  for (; d < head; d++) {
    for (int h = 0; h < share; h++) {
      float s = 0;
      for (int32_t k = 0; k < keys; k++) s += p[h * ld + k] * typed_at(type, v, at + k * ldv + d);
      acc[h * head + d] = s;
    }
  }
}

#define FEW_TYPED(TYPE, SHARE)                                                                   \
  do {                                                                                           \
    for (int32_t k = low; k < high; k++)                                                         \
      few_scores(TYPE, SHARE, q, j->head, keys, at + k * a->k.ld, AHEAD * a->k.ld, scores + k,   \
                 ld);                                                                            \
    float inverse[SHARE];                                                                        \
    for (int h = 0; h < SHARE; h++) inverse[h] = soften(j, scores + h * ld, i, high);            \
    few_values(TYPE, SHARE, out, j->head, values, at + low * a->v.ld, a->v.ld, scores + low, ld, \
               high - low);                                                                      \
    for (int h = 0; h < SHARE; h++)                                                              \
      scale_row(out + h * j->head, out + h * j->head, j->head, inverse[h], 0);                   \
  } while (0)

#define FEW_SHARED(SHARE)        \
  switch (a->k.type) {           \
    case KC_F32:                 \
      FEW_TYPED(KC_F32, SHARE);  \
      break;                     \
    case KC_F16:                 \
      FEW_TYPED(KC_F16, SHARE);  \
      break;                     \
    default:                     \
      FEW_TYPED(KC_BF16, SHARE); \
  }

// share heads (at most 4) of query i that look at key head g.
static void few(struct attention_job *j, int32_t i, int32_t g, int32_t h, int32_t share,
                float *scores) {
  const kc_attention *a = j->a;
  int64_t row = (int64_t)j->batch * j->rows + i, ld = up_to_panel(j->keys);
  int32_t low, high;
  visible(j, i, &low, &high);
  const float *q = kc_f32(j->c, a->q, row) + h * j->head;
  float *out = kc_f32(j->c, a->out, row) + h * j->head;
  const void *keys = j->c->at[a->k.at], *values = j->c->at[a->v.at];
  int64_t at = (int64_t)j->batch * j->keys * a->k.ld + g * j->head;
  switch (share) {
    case 1:
      FEW_SHARED(1)
      break;
    case 2:
      FEW_SHARED(2)
      break;
    case 3:
      FEW_SHARED(3)
      break;
    default:
      FEW_SHARED(4)
  }
}

static void few_chunk(void *arg, int32_t chunk, int32_t thread) {
  struct attention_job *j = arg;
  float *scores = (float *)(j->c->scratch + thread * j->c->scratch_bytes);
  int32_t g = chunk % j->a->kv_heads, i = chunk / j->a->kv_heads;
  for (int32_t h = 0; h < j->share; h += 4)
    few(j, i, g, g * j->share + h, j->share - h < 4 ? j->share - h : 4, scores);
}

// widen_row reads n numbers of a state as floats.
static void widen_row(float *y, int32_t type, const void *x, int64_t at, int32_t n) {
  int32_t i = 0;
  if (type == KC_F32) {
    memcpy(y, (const float *)x + at, (size_t)n * 4);
    return;
  }
  for (; i + VW <= n; i += VW)
    store(y + i, type == KC_F16 ? load_half((const uint16_t *)x + at + i)
                                : load_brain((const uint16_t *)x + at + i));
  for (; i < n; i++) y[i] = typed_at(type, x, at + i);
}

#if VW == 16
// transpose writes the 16 columns of 16 rows, ldx apart, as rows ldy apart.
static void transpose(float *y, int64_t ldy, const float *x, int64_t ldx) {
  __m512 a[16], b[16];
  UNROLL for (int i = 0; i < 16; i++) a[i] = (__m512)load(x + i * ldx);
  UNROLL for (int i = 0; i < 16; i += 2) {
    b[i] = _mm512_unpacklo_ps(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_ps(a[i], a[i + 1]);
  }
  UNROLL for (int i = 0; i < 16; i += 4) UNROLL for (int j = 0; j < 2; j++) {
    a[i + 2 * j] = _mm512_shuffle_ps(b[i + j], b[i + j + 2], 0x44);
    a[i + 2 * j + 1] = _mm512_shuffle_ps(b[i + j], b[i + j + 2], 0xee);
  }
  // Now a[4r+c] holds column c of each group of four, rows 4r to 4r+3.
  UNROLL for (int c = 0; c < 4; c++) {
    b[c] = _mm512_shuffle_f32x4(a[c], a[c + 4], 0x88);
    b[c + 4] = _mm512_shuffle_f32x4(a[c], a[c + 4], 0xdd);
    b[c + 8] = _mm512_shuffle_f32x4(a[c + 8], a[c + 12], 0x88);
    b[c + 12] = _mm512_shuffle_f32x4(a[c + 8], a[c + 12], 0xdd);
  }
  UNROLL for (int c = 0; c < 4; c++) {
    store(y + c * ldy, (vf)_mm512_shuffle_f32x4(b[c], b[c + 8], 0x88));
    store(y + (c + 4) * ldy, (vf)_mm512_shuffle_f32x4(b[c + 4], b[c + 12], 0x88));
    store(y + (c + 8) * ldy, (vf)_mm512_shuffle_f32x4(b[c], b[c + 8], 0xdd));
    store(y + (c + 12) * ldy, (vf)_mm512_shuffle_f32x4(b[c + 4], b[c + 12], 0xdd));
  }
}
#endif

// Channels that are transposed at a time.
#define SLAB 64

// pack_keys writes n keys, kc_mat rows from at on, as columns [head][32].
static void pack_keys(float *pk, int32_t head, const kc_mat *k, const void *keys, int64_t at,
                      int32_t n) {
  _Alignas(64) float rows[KC_PANEL * SLAB];
  for (int32_t d = 0; d < head; d += SLAB) {
    int32_t width = head - d < SLAB ? head - d : SLAB;
    for (int32_t lane = 0; lane < KC_PANEL; lane++) {
      if (lane < n)
        widen_row(rows + lane * SLAB, k->type, keys, at + lane * k->ld + d, width);
      else
        memset(rows + lane * SLAB, 0, (size_t)width * 4);
    }
    int32_t c = 0;
#if VW == 16
    for (; c + 16 <= width; c += 16)
      for (int lane = 0; lane < KC_PANEL; lane += 16)
        transpose(pk + (d + c) * KC_PANEL + lane, KC_PANEL, rows + lane * SLAB + c, SLAB);
#endif
    for (; c < width; c++)
      for (int lane = 0; lane < KC_PANEL; lane++)
        pk[(d + c) * KC_PANEL + lane] = rows[lane * SLAB + c];
  }
}

// Keys p*32 .. of one key head: transposed keys [head][32], values
// [keys][32] for each 32 channels.
static void pack_panel(struct attention_job *j, int32_t g, int32_t p) {
  const kc_attention *a = j->a;
  int64_t padded = up_to_panel(j->keys), wide = up_to_panel(j->head);
  int32_t first = p * KC_PANEL, n = j->keys - first < KC_PANEL ? j->keys - first : KC_PANEL;
  int64_t row = (int64_t)j->batch * j->keys + first;
  pack_keys(j->packed_k + (g * padded + first) * j->head, j->head, &a->k, j->c->at[a->k.at],
            row * a->k.ld + g * j->head, n);
  float *pv = j->packed_v + g * padded * wide;
  const void *values = j->c->at[a->v.at];
  for (int32_t d = 0; d < j->head; d += KC_PANEL) {
    int32_t width = j->head - d < KC_PANEL ? j->head - d : KC_PANEL;
    float *y = pv + d * padded + (int64_t)first * KC_PANEL;
    if (n < KC_PANEL || width < KC_PANEL) memset(y, 0, KC_PANEL * KC_PANEL * 4);
    for (int32_t k = 0; k < n; k++)
      widen_row(y + k * KC_PANEL, a->v.type, values, (row + k) * a->v.ld + g * j->head + d, width);
  }
}

static void pack_chunk(void *arg, int32_t chunk, int32_t thread) {
  (void)thread;
  struct attention_job *j = arg;
  pack_panel(j, chunk % j->a->kv_heads, chunk / j->a->kv_heads);
}

// The row and head of pair r of key head g: heads outermost, so that the
// queries of a tile are neighbours and see about the same keys.
static void pair_at(const struct attention_job *j, int32_t g, int32_t r, int32_t *i, int32_t *h) {
  *h = g * j->share + r / j->rows;
  *i = r % j->rows;
}

static void many_tile(struct attention_job *j, int32_t g, int32_t r, int mr, float *scratch) {
  const kc_attention *a = j->a;
  int64_t padded = up_to_panel(j->keys), wide = up_to_panel(j->head);
  float *q = scratch, *scores = q + MR_FLOAT * wide, inverse[MR_FLOAT];
  _Alignas(64) float out[MR_FLOAT * KC_PANEL];
  int32_t end = 0, start = j->keys, i, h;
  for (int t = 0; t < mr; t++) {
    int32_t low, high;
    pair_at(j, g, r + t, &i, &h);
    visible(j, i, &low, &high);
    if (high > end) end = high;
    if (low < start) start = low;
    memcpy(q + t * wide, kc_f32(j->c, a->q, (int64_t)j->batch * j->rows + i) + h * j->head,
           (size_t)j->head * 4);
  }
  start = start / KC_PANEL * KC_PANEL;
  for (int32_t k = start; k < end; k += KC_PANEL) {
    const float *pk = j->packed_k + (g * padded + k) * j->head;
    multiply_float(mr, q, wide, pk, KC_PANEL, j->head, out, 0);
    for (int t = 0; t < mr; t++) memcpy(scores + t * padded + k, out + t * KC_PANEL, KC_PANEL * 4);
  }
  int32_t stop = (int32_t)up_to_panel(end);
  for (int t = 0; t < mr; t++) {
    pair_at(j, g, r + t, &i, &h);
    if (start > 0) memset(scores + t * padded, 0, (size_t)start * 4);
    inverse[t] = soften(j, scores + t * padded, i, stop);
  }
  for (int32_t d = 0; d < j->head; d += KC_PANEL) {
    const float *pv = j->packed_v + (g * wide + d) * padded + (int64_t)start * KC_PANEL;
    multiply_float(mr, scores + start, padded, pv, KC_PANEL, stop - start, out, 0);
    int32_t n = j->head - d < KC_PANEL ? j->head - d : KC_PANEL;
    for (int t = 0; t < mr; t++) {
      pair_at(j, g, r + t, &i, &h);
      float *y = kc_f32(j->c, a->out, (int64_t)j->batch * j->rows + i) + h * j->head + d;
      scale_row(y, out + t * KC_PANEL, n, inverse[t], 0);
    }
  }
}

static void many_chunk(void *arg, int32_t chunk, int32_t thread) {
  struct attention_job *j = arg;
  float *scratch = (float *)(j->c->scratch + thread * j->c->scratch_bytes);
  int32_t g = chunk % j->a->kv_heads, r = chunk / j->a->kv_heads * j->tile;
  int32_t end = r + j->tile, all = j->rows * j->share;
  if (end > all) end = all;
  while (r < end) {
    int mr = tile_rows(end - r, MR_FLOAT);
    many_tile(j, g, r, mr, scratch);
    r += mr;
  }
}

// From so many (query, head) pairs to a key head on, packing pays.
#define MANY 12

static void run_attention(const kc_ctx *c, const void *op) {
  const kc_attention *a = op;
  struct attention_job j = {.c = c, .a = a};
  j.head = a->q.cols / a->heads;
  j.share = a->heads / a->kv_heads;
  j.past = a->past ? c->scalars[a->past] : 0;
  int32_t rows = kc_len(c, a->q.rows), keys = kc_len(c, a->k.rows);
  if (a->cached) keys = a->length ? c->scalars[a->length] : j.past + rows;
  j.rows = rows / a->batch;
  j.keys = keys / a->batch;
  if (j.rows == 0) return;
  int64_t padded = up_to_panel(j.keys);
  j.packed_k = a->scratch >= 0 ? c->at[a->scratch] : NULL;
  if (j.packed_k) j.packed_v = j.packed_k + a->kv_heads * padded * j.head;
  kc_pool *pool = (int64_t)rows * j.keys * a->q.cols < SERIAL ? NULL : c->pool;
  for (; j.batch < a->batch; j.batch++) {
    if (j.rows * j.share < MANY || j.keys == 0) {
      kc_parallel(pool, few_chunk, &j, j.rows * a->kv_heads);
      continue;
    }
    kc_parallel(pool, pack_chunk, &j, (int32_t)(padded / KC_PANEL) * a->kv_heads);
    int32_t tiles = (j.rows * j.share + MR_FLOAT - 1) / MR_FLOAT;
    j.tile = (j.rows * j.share + tiles - 1) / tiles;  // all about the same
    kc_parallel(pool, many_chunk, &j, tiles * a->kv_heads);
  }
}
