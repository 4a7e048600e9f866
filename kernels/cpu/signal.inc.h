// What stands before and after a network: pictures of any size, the scale of a
// spectrogram, the choice of a token.

// weighted_byte is made of `taps`: the first, how many, their weights; `step` bytes
// lie between one and the next.
INLINE uint8_t weighted_byte(const int32_t *taps, const uint8_t *x, int64_t step) {
  int32_t sum = 1 << 21;
  for (int32_t k = 0; k < taps[1]; k++) sum += x[(taps[0] + k) * step] * taps[2 + k];
  sum >>= 22;
  return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

// Rows of the result. The bytes between are computed anew for each row that needs
// them, so that no memory is wanted whatever the size of the picture.
static void resize_rows(const kc_ctx *c, const void *op, int32_t from, int32_t to) {
  const kc_resize *o = op;
  const int32_t *across = c->at[o->across], *down = c->at[o->down];
  int64_t stride = (int64_t)c->scalars[o->width] * o->channels;
  for (int32_t y = from; y < to; y++) {
    const int32_t *rows = down + (int64_t)y * o->down_ld;
    uint8_t *out = (uint8_t *)c->at[o->out] + (int64_t)y * o->out_width * o->channels;
    for (int32_t i = 0; i < o->out_width * o->channels; i++) {
      const int32_t *columns = across + (int64_t)(i / o->channels) * o->across_ld;
      const uint8_t *x = (const uint8_t *)c->at[o->x] + i % o->channels;
      int32_t sum = 1 << 21;
      for (int32_t k = 0; k < rows[1]; k++)
        sum += weighted_byte(columns, x + (rows[0] + k) * stride, o->channels) * rows[2 + k];
      sum >>= 22;
      out[i] = (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
    }
  }
}

static void run_resize(const kc_ctx *c, const void *op) {
  const kc_resize *o = op;
  over_rows(c, o, resize_rows, o->out_height, 64 * o->out_width * o->channels);
}

// log_power is the scale's number before the floor; what is no number stays none.
INLINE double log_power(float x) { return x <= 1e-10f ? -10 : log10(x); }

static void run_log_power(const kc_ctx *c, const void *op) {
  const kc_log_power *o = op;
  int32_t rows = kc_len(c, o->x.rows);
  double top = -10;
  for (int32_t r = 0; r < rows; r++)
    for (int32_t i = 0; i < o->x.cols; i++) {
      double v = log_power(kc_f32(c, o->x, r)[i]);
      kc_f32(c, o->out, r)[i] = (float)v;
      if (!(v <= top)) top = v;
    }
  for (int32_t r = 0; r < rows; r++)
    for (int32_t i = 0; i < o->x.cols; i++) {
      float *y = kc_f32(c, o->out, r) + i;
      double v = *y < top - 8 ? top - 8 : *y;
      *y = (float)((top != top ? top : v + 4) / 4);
    }
}

// order_of makes numbers comparable as unsigned ones.
INLINE uint32_t order_of(float x) {
  uint32_t bits;
  x += 0.0f;  // −0 is 0
  memcpy(&bits, &x, 4);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}

// candidates are the tokens from a logit on, of those equal to it the first few.
typedef struct {
  uint32_t least;
  int64_t equal;  // how many of the least
  double sum;     // of the weights
} candidates;

typedef struct {
  const float *x;
  int32_t n;
  float top, temperature;
} choices;

INLINE double weight_of(const choices *s, float x) { return expf((x - s->top) / s->temperature); }

// reach gives the most probable candidates that together have at least a share (or
// more than it, if `over`), or all.
static candidates reach(const choices *s, double share, int over) {
  uint32_t least = 0;
  for (uint32_t bit = 1u << 31; bit; bit >>= 1) {
    double sum = 0;
    for (int32_t i = 0; i < s->n; i++)
      if (order_of(s->x[i]) >= (least | bit)) sum += weight_of(s, s->x[i]);
    if (over ? sum > share : sum >= share) least |= bit;
  }
  candidates out = {UINT32_MAX, 0, 0};
  for (int32_t i = 0; i < s->n; i++) {  // the least that there is
    uint32_t at = order_of(s->x[i]);
    if (at >= least && at < out.least) out.least = at;
  }
  double each = 0;
  int64_t equal = 0;
  for (int32_t i = 0; i < s->n; i++) {
    uint32_t at = order_of(s->x[i]);
    if (at > out.least) out.sum += weight_of(s, s->x[i]);
    if (at == out.least) equal++, each = weight_of(s, s->x[i]);
  }
  for (; out.equal < equal && (out.equal == 0 || !(over ? out.sum > share : out.sum >= share));
       out.equal++)
    out.sum += each;
  return out;
}

// token_of gives the token of a row, −1 if a logit is no number.
static int32_t token_of(const float *x, int32_t n, float temperature, float top_p, float draw) {
  int32_t best = 0;
  for (int32_t i = 0; i < n; i++) {
    if (x[i] != x[i] || x[i] > 3.4028235e38f) return -1;
    if (x[i] > x[best]) best = i;
  }
  if (temperature == 0 || x[best] < -3.4028235e38f) return best;
  choices s = {x, n, x[best], temperature};
  candidates kept = {0, n, 0};
  if (top_p > 0 && top_p < 1) {
    double total = 0;
    for (int32_t i = 0; i < n; i++) total += weight_of(&s, x[i]);
    kept = reach(&s, top_p * total, 0);
  } else {
    kept = reach(&s, INFINITY, 0);
  }
  candidates taken = reach(&s, draw * kept.sum, 1);
  if (taken.least <= kept.least) {
    taken.equal = taken.least < kept.least || taken.equal > kept.equal ? kept.equal : taken.equal;
    taken.least = kept.least;
  }
  for (int32_t i = 0; i < n; i++)
    if (order_of(x[i]) == taken.least && --taken.equal == 0) return i;
  return best;
}

static void run_sample(const kc_ctx *c, const void *op) {
  const kc_sample *o = op;
  const float *how = c->at[o->how];
  const int32_t *recent = c->at[o->recent];
  float *y = c->at[o->scratch];
  int32_t rows = kc_len(c, o->x.rows), n = kc_len(c, o->n);
  for (int32_t r = 0; r < rows; r++) {
    const float *x = kc_f32(c, o->x, r);
    memcpy(y, x, (size_t)o->x.cols * 4);
    for (int32_t i = 0; i < n; i++) {
      float v = x[recent[i]];
      y[recent[i]] = v > 0 ? v / how[2] : v * how[2];
    }
    ((int32_t *)c->at[o->out])[r] = token_of(y, o->x.cols, how[0], how[1], how[3]);
  }
}
