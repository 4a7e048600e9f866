// Products: the rows are prepared once, then threads claim panels of all
// matrices. A panel is multiplied with a band of rows by one thread, from the
// first input to the last, so results do not depend on the threads.

struct product_job {
  const kc_ctx *c;
  const kc_product *p;
  rows_in x;
  int32_t rows, band;     // rows at a time
  int32_t panels, group;  // of all segments; and how many a chunk takes
  int32_t groups;
};

static int32_t panels_of(const kc_packed *w) { return (w->outputs + KC_PANEL - 1) / KC_PANEL; }

// finish_row adds the residual to a row of a tile and stores it, from column on.
INLINE void finish_row(const kc_ctx *c, const kc_segment *s, int32_t column, int32_t n, int32_t row,
                       int64_t to, float *t) {
  if (n == KC_PANEL && s->out.type == KC_F32) {
    float *y = kc_f32(c, s->out, to) + column;
    const float *r = s->residual.at >= 0 ? kc_f32(c, s->residual, row) + column : NULL;
    UNROLL for (int j = 0; j < KC_PANEL; j += VW)
        store(y + j, r ? load(t + j) + load(r + j) : load(t + j));
    return;
  }
  if (s->residual.at >= 0) {
    const float *r = kc_f32(c, s->residual, row) + column;
    for (int j = 0; j < n; j++) t[j] += r[j];
  }
  store_row(s->out.type, c->at[s->out.at], to * s->out.ld + column, t, n);
}

// finish turns the tile into rows of the result.
static void finish(const kc_ctx *c, const kc_segment *s, int32_t panel, int32_t row, int mr,
                   float *tile, float *second) {
  int32_t column = panel * KC_PANEL, n = s->w->outputs - column;
  if (n > KC_PANEL) n = KC_PANEL;
  if (s->bias)
    for (int i = 0; i < mr * KC_PANEL; i += VW)
      store(tile + i, load(tile + i) + load(s->bias + column + i % KC_PANEL));
  if (s->act) activate_array(s->act, tile, tile, mr * KC_PANEL);
  if (s->w2) {
    for (int i = 0; i < mr * KC_PANEL; i += VW) {
      vf up = load(second + i);
      if (s->bias2) up += load(s->bias2 + column + i % KC_PANEL);
      store(tile + i, load(tile + i) * up);
    }
  }
  int64_t first = s->out_row ? c->scalars[s->out_row] : 0;
  for (int i = 0; i < mr; i++)
    finish_row(c, s, column, n, row + i, first + row + i, tile + i * KC_PANEL);
}

// Rows of one band: their prepared form stays in the second-level cache.
#define BAND 96

// product_panel multiplies rows from to to with one panel, slice by slice.
static void product_panel(struct product_job *j, int32_t panel, int32_t from, int32_t to) {
  const kc_segment *s = j->p->segments;
  for (; panel >= panels_of(s->w); s++) panel -= panels_of(s->w);
  _Alignas(64) float tiles[BAND * KC_PANEL], second[BAND * KC_PANEL];
  int most = most_rows(s->w->kind), k = j->x.k;
  int32_t slice = to - from > most ? slice_inputs(s->w) : k;
  if (s->w2 && most_rows(s->w2->kind) < most) most = most_rows(s->w2->kind);
  for (int32_t first = 0; first < k; first += slice) {
    int32_t n = k - first < slice ? k - first : slice;
    for (int32_t row = from, mr; row < to; row += mr) {
      mr = tile_rows(to - row, most);
      rows_in x = rows_from(j->x, row);
      float *tile = tiles + (row - from) * KC_PANEL, *other = second + (row - from) * KC_PANEL;
      multiply_some(mr, x, s->w, panel, first, n, tile);
      if (s->w2) multiply_some(mr, x, s->w2, panel, first, n, other);
      if (first + n == k) finish(j->c, s, panel, row, mr, tile, other);
    }
  }
}

static void product_chunk(void *arg, int32_t chunk, int32_t thread) {
  (void)thread;
  struct product_job *j = arg;
  int32_t from = chunk / j->groups * j->band, to = from + j->band;
  int32_t panel = chunk % j->groups * j->group, end = panel + j->group;
  if (to > j->rows) to = j->rows;
  if (end > j->panels) end = j->panels;
  for (; panel < end; panel++) product_panel(j, panel, from, to);
}

static void run_product(const kc_ctx *c, const void *op) {
  const kc_product *p = op;
  struct product_job j = {.c = c, .p = p, .rows = kc_len(c, p->x.rows), .band = BAND};
  if (j.rows == 0) return;
  if (p->format == KC_X_F32 && p->norm.kind < 0) {
    j.x = (rows_in){.f32 = kc_f32(c, p->x, 0), .ld = p->x.ld, .k = p->x.cols};
  } else {
    over_rows(c, p, prepare_rows, j.rows, p->x.cols);
    j.x = prepared(p->format, c->at[p->scratch], p->x.cols, j.rows);
  }
  for (int32_t i = 0; i < p->count; i++) j.panels += panels_of(p->segments[i].w);
  int32_t bands = (j.rows + j.band - 1) / j.band;
  j.group = j.panels * bands / (c->threads * 8);
  if (j.group < 1) j.group = 1;
  j.groups = (j.panels + j.group - 1) / j.group;
  kc_pool *pool = (int64_t)j.panels * j.rows * p->x.cols < SERIAL ? NULL : c->pool;
  kc_parallel(pool, product_chunk, &j, j.groups * bands);
}

// The cells of an LSTM, row after row; the part of the gates that comes from x
// has been computed.
static void lstm_row(const kc_ctx *c, const kc_lstm *l, int32_t row) {
  int32_t hidden = l->w->inputs;
  float *h = c->at[l->h], *cell = c->at[l->c], *out = kc_f32(c, l->out, row);
  const float *from_x = kc_f32(c, l->gates, row);
  const kc_norm none = {.kind = -1};
  rows_in x = prepared(l->format, c->at[l->scratch], hidden, 1);
  prepare_row(x, l->format, l->range, &none, h);
  float *gates = (float *)((char *)c->at[l->scratch] + kc_prepared_bytes(l->format, hidden, 1));
  for (int32_t p = 0; p < panels_of(l->w); p++) multiply(1, x, l->w, p, gates + p * KC_PANEL);
  for (int32_t i = 0; i < 4 * hidden; i++) gates[i] += from_x[i];
  float *in = gates, *forget = in + hidden, *new = forget + hidden, *open = new + hidden;
  activate_array(SIGMOID, in, in, 2 * hidden);
  activate_array(TANH, new, new, hidden);
  activate_array(SIGMOID, open, open, hidden);
  for (int32_t i = 0; i < hidden; i++) cell[i] = forget[i] * cell[i] + in[i] * new[i];
  activate_array(TANH, new, cell, hidden);
  for (int32_t i = 0; i < hidden; i++) h[i] = open[i] * new[i];
  memcpy(out, h, (size_t)hidden * 4);
}

static void run_lstm(const kc_ctx *c, const void *op) {
  const kc_lstm *l = op;
  for (int32_t r = 0; r < kc_len(c, l->out.rows); r++) lstm_row(c, l, r);
}
