// Operators that treat each row by itself, and those that only move numbers.

static void norm_rows(const kc_ctx *c, const void *op, int32_t from, int32_t to) {
  const kc_norm_op *o = op;
  int32_t n = o->x.cols / o->groups;
  for (int32_t r = from; r < to; r++)
    for (int32_t g = 0; g < o->groups; g++)
      norm_row(kc_f32(c, o->out, r) + g * n, kc_f32(c, o->x, r) + g * n, &o->norm, n);
}

static void run_norm(const kc_ctx *c, const void *op) {
  const kc_norm_op *o = op;
  over_rows(c, o, norm_rows, kc_len(c, o->x.rows), o->x.cols);
}

static void rope_table_rows(const kc_ctx *c, const void *op, int32_t from, int32_t to) {
  const kc_rope_table *o = op;
  for (int32_t r = from; r < to; r++) {
    double position = ((const int32_t *)c->at[o->positions])[r];
    float *y = kc_f32(c, o->out, r);
    for (int32_t i = 0; i < o->pairs; i++) {
      double angle = position * o->frequencies[i];
      y[i] = (float)cos(angle);
      y[o->pairs + i] = (float)sin(angle);
    }
  }
}

static void run_rope_table(const kc_ctx *c, const void *op) {
  const kc_rope_table *o = op;
  over_rows(c, o, rope_table_rows, kc_len(c, o->out.rows), o->pairs * 64);
}

// One head turned into y.
static void turn(float *y, const float *x, const float *table, const kc_rope *o) {
  int32_t half = o->pairs, i = 0;
  const float *cosine = table, *sine = table + half;
  if (o->interleaved) {
    for (; i < half; i++) {
      float a = x[2 * i], b = x[2 * i + 1];
      y[2 * i] = a * cosine[i] - b * sine[i];
      y[2 * i + 1] = a * sine[i] + b * cosine[i];
    }
    return;
  }
  for (; i + VW <= half; i += VW) {
    vf a = load(x + i), b = load(x + half + i), cs = load(cosine + i), sn = load(sine + i);
    store(y + i, a * cs - b * sn);
    store(y + half + i, a * sn + b * cs);
  }
  for (; i < half; i++) {
    float a = x[i], b = x[half + i];
    y[i] = a * cosine[i] - b * sine[i];
    y[half + i] = a * sine[i] + b * cosine[i];
  }
}

// Heads wider than this turn in pieces of memory of the result itself.
#define WIDEST_HEAD 1024

static void rope_rows(const kc_ctx *c, const void *op, int32_t from, int32_t to) {
  const kc_rope *o = op;
  int32_t head = o->x.cols / o->heads;
  int64_t first = o->out_row ? c->scalars[o->out_row] : 0;
  float y[WIDEST_HEAD];
  for (int32_t r = from; r < to; r++) {
    const float *x = kc_f32(c, o->x, r), *table = kc_f32(c, o->table, r);
    for (int32_t h = 0; h < o->heads; h++, x += head) {
      turn(y, x, table, o);
      memcpy(y + 2 * o->pairs, x + 2 * o->pairs, (size_t)(head - 2 * o->pairs) * 4);
      store_row(o->out.type, c->at[o->out.at], (first + r) * o->out.ld + h * head, y, head);
    }
  }
}

static void run_rope(const kc_ctx *c, const void *op) {
  const kc_rope *o = op;
  over_rows(c, o, rope_rows, kc_len(c, o->x.rows), o->x.cols);
}

static void store_rows(const kc_ctx *c, const void *op, int32_t from, int32_t to) {
  const kc_store *o = op;
  int64_t first = o->out_row ? c->scalars[o->out_row] : 0;
  for (int32_t r = from; r < to; r++)
    store_row(o->out.type, c->at[o->out.at], (first + r) * o->out.ld, kc_f32(c, o->x, r),
              o->x.cols);
}

static void run_store(const kc_ctx *c, const void *op) {
  const kc_store *o = op;
  over_rows(c, o, store_rows, kc_len(c, o->x.rows), o->x.cols);
}

// exp_row writes e^((x-top)·scale) and gives the sum; y may be x, or NULL.
static float exp_row(float *y, const float *x, int32_t n, float top, float scale) {
  vf t = splat(top), times = splat(scale), sum = splat(0);
  int32_t i = 0;
  for (; i + VW <= n; i += VW) {
    vf e = exp_of((load(x + i) - t) * times);
    if (y) store(y + i, e);
    sum += e;
  }
  if (i < n) {
    vf e = exp_of((load_some(x + i, n - i, -INFINITY) - t) * times);
    if (y) store_some(y + i, e, n - i);
    sum += e;
  }
  return sum_of(sum);
}

static float max_row(const float *x, int32_t n) {
  vf top = splat(-INFINITY);
  int32_t i = 0;
  for (; i + VW <= n; i += VW) top = larger(load(x + i), top);
  if (i < n) top = larger(load_some(x + i, n - i, -INFINITY), top);
  return max_of(top);
}

// y = x·scale + shift.
static void scale_row(float *y, const float *x, int32_t n, float scale, float shift) {
  int32_t i = 0;
  vf s = splat(scale), t = splat(shift);
  for (; i + VW <= n; i += VW) store(y + i, load(x + i) * s + t);
  if (i < n) store_some(y + i, load_some(x + i, n - i, 0) * s + t, n - i);
}

static void softmax_rows(const kc_ctx *c, const void *op, int32_t from, int32_t to) {
  const kc_softmax *o = op;
  for (int32_t r = from; r < to; r++) {
    const float *x = kc_f32(c, o->x, r);
    float *y = kc_f32(c, o->out, r), top = max_row(x, o->x.cols);
    if (o->log) {
      float sum = exp_row(NULL, x, o->x.cols, top, 1);
      scale_row(y, x, o->x.cols, 1, -top - logf(sum));
    } else {
      float sum = exp_row(y, x, o->x.cols, top, 1);
      scale_row(y, y, o->x.cols, 1 / sum, 0);
    }
  }
}

static void run_softmax(const kc_ctx *c, const void *op) {
  const kc_softmax *o = op;
  over_rows(c, o, softmax_rows, kc_len(c, o->x.rows), 8 * o->x.cols);
}

// Neighbours that name the same row share its sum.
static void logprob_rows(const kc_ctx *c, const void *op, int32_t from, int32_t to) {
  const kc_logprob *o = op;
  const int32_t *rows = c->at[o->rows], *cols = c->at[o->cols];
  float *y = kc_f32(c, o->out, 0), top = 0, log_sum = 0;
  for (int32_t i = from; i < to; i++) {
    const float *x = kc_f32(c, o->x, rows[i]);
    if (i == from || rows[i] != rows[i - 1]) {
      top = max_row(x, o->x.cols);
      log_sum = logf(exp_row(NULL, x, o->x.cols, top, 1));
    }
    y[i] = x[cols[i]] - top - log_sum;
  }
}

static void run_logprob(const kc_ctx *c, const void *op) {
  const kc_logprob *o = op;
  over_rows(c, o, logprob_rows, kc_len(c, o->n), 4 * o->x.cols);
}

enum { ADD, MUL, HYPOT };

INLINE vf combine(const int kind, vf a, vf b) {
  if (kind == MUL) return a * b;
  if (kind == HYPOT) return root(a * a + b * b);
  return a + b;
}

INLINE void combine_row(const int kind, float *y, const float *a, const float *b, int32_t n,
                        const int each) {
  int32_t i = 0;
  for (; i + VW <= n; i += VW)
    store(y + i, combine(kind, load(a + i), each ? load(b + i) : splat(*b)));
  if (i < n) {
    vf rest = each ? load_some(b + i, n - i, 0) : splat(*b);
    store_some(y + i, combine(kind, load_some(a + i, n - i, 0), rest), n - i);
  }
}

static void binary_rows(const kc_ctx *c, const void *op, int32_t from, int32_t to) {
  const kc_binary *o = op;
  for (int32_t r = from; r < to; r++) {
    float *out = kc_f32(c, o->out, r);
    const float *x = kc_f32(c, o->x, r), *y = kc_f32(c, o->y, r * o->y_row);
    if (o->act) {
      activate_array(o->act, out, x, o->x.cols);
      x = out;
    }
    switch (o->kind * 2 + o->y_col) {
      case ADD * 2:
        combine_row(ADD, out, x, y, o->x.cols, 0);
        break;
      case ADD * 2 + 1:
        combine_row(ADD, out, x, y, o->x.cols, 1);
        break;
      case MUL * 2:
        combine_row(MUL, out, x, y, o->x.cols, 0);
        break;
      case MUL * 2 + 1:
        combine_row(MUL, out, x, y, o->x.cols, 1);
        break;
      case HYPOT * 2:
        combine_row(HYPOT, out, x, y, o->x.cols, 0);
        break;
      default:
        combine_row(HYPOT, out, x, y, o->x.cols, 1);
    }
  }
}

static void run_binary(const kc_ctx *c, const void *op) {
  const kc_binary *o = op;
  over_rows(c, o, binary_rows, kc_len(c, o->x.rows), o->x.cols * (o->act ? 4 : 1));
}

static void activate_rows(const kc_ctx *c, const void *op, int32_t from, int32_t to) {
  const kc_activate *o = op;
  for (int32_t r = from; r < to; r++)
    activate_array(o->act, kc_f32(c, o->out, r), kc_f32(c, o->x, r), o->x.cols);
}

static void run_activate(const kc_ctx *c, const void *op) {
  const kc_activate *o = op;
  over_rows(c, o, activate_rows, kc_len(c, o->x.rows), o->x.cols * 4);
}

static void embed_rows(const kc_ctx *c, const void *op, int32_t from, int32_t to) {
  const kc_embed *o = op;
  const int32_t *ids = c->at[o->ids];
  for (int32_t r = from; r < to; r++) {
    float *y = kc_f32(c, o->out, r);
    kc_unpack(o->table, ids[r], y);
    if (o->scale != 1) scale_row(y, y, o->out.cols, o->scale, 0);
  }
}

static void run_embed(const kc_ctx *c, const void *op) {
  const kc_embed *o = op;
  over_rows(c, o, embed_rows, kc_len(c, o->out.rows), 4 * o->out.cols);
}

static void run_gather(const kc_ctx *c, const void *op) {
  const kc_gather *o = op;
  const int32_t *rows = c->at[o->rows];
  for (int32_t r = 0; r < kc_len(c, o->out.rows); r++)
    memcpy(kc_f32(c, o->out, r), kc_f32(c, o->x, rows[r]), (size_t)o->out.cols * 4);
}

static void copy_rows(const kc_ctx *c, const void *op, int32_t from, int32_t to) {
  const kc_copy *o = op;
  int32_t after = kc_len(c, o->out_after);
  for (int32_t r = from; r < to; r++)
    memcpy(kc_f32(c, o->out, after + r), kc_f32(c, o->x, r), (size_t)o->x.cols * 4);
}

static void run_copy(const kc_ctx *c, const void *op) {
  const kc_copy *o = op;
  over_rows(c, o, copy_rows, kc_len(c, o->x.rows), o->x.cols);
}

static void run_pad(const kc_ctx *c, const void *op) {
  const kc_pad *o = op;
  int32_t n = kc_len(c, o->x.rows), rows = kc_len(c, o->out.rows);
  for (int32_t i = 0; i < rows; i++) {
    int32_t t = i - o->left;
    float *y = kc_f32(c, o->out, i);
    if (o->mirror) t = t < 0 ? -t : t >= n ? 2 * (n - 1) - t : t;
    if (t < 0 || t >= n)
      memset(y, 0, (size_t)o->out.cols * 4);
    else
      memcpy(y, kc_f32(c, o->x, t), (size_t)o->out.cols * 4);
  }
}

static void run_mean(const kc_ctx *c, const void *op) {
  const kc_mean *o = op;
  int32_t rows = kc_len(c, o->x.rows);
  float *y = kc_f32(c, o->out, 0);
  memset(y, 0, (size_t)o->out.cols * 4);
  for (int32_t r = 0; r < rows; r++) {
    const float *x = kc_f32(c, o->x, r);
    for (int32_t i = 0; i < o->out.cols; i++) y[i] += x[i];
  }
  scale_row(y, y, o->out.cols, 1 / (float)(rows > 0 ? rows : 1), 0);
}

// One place of a window: channels numbers, zeros outside the image.
static void window_place(const kc_ctx *c, const kc_windows *o, float *y, int32_t row, int32_t col) {
  if (row < 0 || row >= o->height || col < 0 || col >= o->width) {
    memset(y, 0, (size_t)o->channels * 4);
    return;
  }
  int64_t at = ((int64_t)row * o->width + col) * o->channels;
  if (!o->bytes) {
    memcpy(y, (const float *)c->at[o->x] + at, (size_t)o->channels * 4);
    return;
  }
  const uint8_t *x = (const uint8_t *)c->at[o->x] + at;
  for (int32_t i = 0; i < o->channels; i++) y[i] = (float)x[i] * o->scale[i] + o->shift[i];
}

static void window_rows(const kc_ctx *c, const void *op, int32_t from, int32_t to) {
  const kc_windows *o = op;
  for (int32_t r = from; r < to; r++) {
    int32_t top = r / o->out_width * o->stride - o->padding;
    int32_t left = r % o->out_width * o->stride - o->padding;
    float *y = kc_f32(c, o->out, r);
    for (int32_t i = 0; i < o->kh * o->kw; i++, y += o->channels)
      window_place(c, o, y, top + i / o->kw, left + i % o->kw);
  }
}

static void run_windows(const kc_ctx *c, const void *op) {
  const kc_windows *o = op;
  over_rows(c, o, window_rows, kc_len(c, o->out.rows), 2 * o->out.cols);
}

static void run_max_pool(const kc_ctx *c, const void *op) {
  const kc_max_pool *o = op;
  const float *x = c->at[o->x];
  float *y = c->at[o->out];
  for (int32_t i = 0; i < o->out_height * o->out_width; i++, y += o->channels) {
    int32_t top = i / o->out_width * o->stride - o->padding;
    int32_t left = i % o->out_width * o->stride - o->padding;
    for (int32_t k = 0; k < o->channels; k++) y[k] = -INFINITY;
    for (int32_t p = 0; p < o->kernel * o->kernel; p++) {
      int32_t row = top + p / o->kernel, col = left + p % o->kernel;
      if (row < 0 || row >= o->height || col < 0 || col >= o->width) continue;
      const float *from = x + ((int64_t)row * o->width + col) * o->channels;
      for (int32_t k = 0; k < o->channels; k++) y[k] = from[k] > y[k] ? from[k] : y[k];
    }
  }
}
