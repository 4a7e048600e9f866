// From a packed matrix and a number of rows to the tile compiled for both.

// Each number of rows is compiled by itself: mr is 1 to so many.
#define ROWS(n, CALL) \
  case n:             \
    CALL(n);          \
    break;
#define UP_TO_2(CALL) ROWS(1, CALL) ROWS(2, CALL)
#define UP_TO_4(CALL) UP_TO_2(CALL) ROWS(3, CALL) ROWS(4, CALL)
#define UP_TO_6(CALL) UP_TO_4(CALL) ROWS(5, CALL) ROWS(6, CALL)
#define UP_TO_12(CALL) \
  UP_TO_6(CALL)        \
  ROWS(7, CALL) ROWS(8, CALL) ROWS(9, CALL) ROWS(10, CALL) ROWS(11, CALL) ROWS(12, CALL)

// The rows of the next tile when so many are left: all tiles about the same.
static int tile_rows(int left, int most) {
  int tiles = (left + most - 1) / most;
  return (left + tiles - 1) / tiles;
}

static int most_rows(int32_t kind) {
  if (kind <= KC_PACK_BF16) return MR_FLOAT;
  if (kind == KC_PACK_HALF) return MR_HALF;
  return kind == KC_PACK_I8 ? MR_BYTES : MR_BLOCK;
}

static void multiply_float(int mr, const float *x, int64_t ldx, const float *w, int64_t ldw,
                           int32_t k, float *out, int more) {
#define CALL(n) tile_float(n, 0, x, ldx, w, ldw, k, out, more)
  switch (mr) { EACH_FLOAT_ROWS(CALL) }
#undef CALL
}

static void multiply_half(int mr, rows_in x, const uint8_t *w, float *out, int more) {
#define CALL(n) tile_float(n, 1, x.f32, x.ld, w, KC_PANEL, x.k, out, more)
  switch (mr) { EACH_FLOAT_ROWS(CALL) }
#undef CALL
}

static void multiply_brain(int mr, rows_in x, const uint8_t *w, float *out, int more) {
#define CALL(n) tile_brain(n, x, w, out, more)
  switch (mr) { EACH_FLOAT_ROWS(CALL) }
#undef CALL
}

#if defined(HAVE_DOTPROD) && defined(__aarch64__)
static void multiply_in_half(int mr, rows_in x, const uint8_t *w, const float *scale, float *out,
                             int more) {
#define CALL(n) tile_half(n, x, w, scale, out, more)
  switch (mr) { UP_TO_4(CALL) }
#undef CALL
}
#endif

static void multiply_bytes(int mr, rows_in x, const uint8_t *w, const float *scale, float *out) {
#define CALL(n) tile_bytes(n, x, w, scale, out)
  switch (mr) { EACH_BYTES_ROWS(CALL) }
#undef CALL
}

static void multiply_q4_0(int mr, rows_in x, const uint8_t *w, float *out) {
#define CALL(n) tile_blocks(n, KC_PACK_Q4_0, x, w, out)
  switch (mr) { EACH_BLOCK_ROWS(CALL) }
#undef CALL
}

static void multiply_q4_1(int mr, rows_in x, const uint8_t *w, float *out) {
#define CALL(n) tile_blocks(n, KC_PACK_Q4_1, x, w, out)
  switch (mr) { EACH_BLOCK_ROWS(CALL) }
#undef CALL
}

static void multiply_q8_0(int mr, rows_in x, const uint8_t *w, float *out) {
#define CALL(n) tile_blocks(n, KC_PACK_Q8_0, x, w, out)
  switch (mr) { EACH_BLOCK_ROWS(CALL) }
#undef CALL
}

static void multiply_q4_k(int mr, rows_in x, const uint8_t *w, float *out) {
#define CALL(n) tile_blocks(n, KC_PACK_Q4_K, x, w, out)
  switch (mr) { EACH_BLOCK_ROWS(CALL) }
#undef CALL
}

static void multiply_q6_k(int mr, rows_in x, const uint8_t *w, float *out) {
#define CALL(n) tile_blocks(n, KC_PACK_Q6_K, x, w, out)
  switch (mr) { EACH_BLOCK_ROWS(CALL) }
#undef CALL
}

// multiply_some computes the tile of mr rows with panel p of w, for inputs from
// first on to the end or, where w holds floats, n of them.
static void multiply_some(int mr, rows_in x, const kc_packed *w, int32_t p, int32_t first,
                          int32_t n, float *out) {
  const uint8_t *panel = w->data + p * w->panel_bytes;
  int more = first > 0;
  switch (w->kind) {
    case KC_PACK_F32:
      multiply_float(mr, x.f32 + first, x.ld, (const float *)panel + first * KC_PANEL, KC_PANEL, n,
                     out, more);
      break;
    case KC_PACK_F16:
      x.f32 += first, x.k = n;
      multiply_half(mr, x, panel + first * KC_PANEL * 2, out, more);
      break;
    case KC_PACK_BF16:
      x.bf16 += first, x.k = n;
      multiply_brain(mr, x, panel + first * KC_PANEL * 2, out, more);
      break;
#if defined(HAVE_DOTPROD) && defined(__aarch64__)
    case KC_PACK_HALF:
      x.bf16 += first, x.k = n;
      multiply_in_half(mr, x, panel + first * KC_PANEL * 2, w->scale + p * KC_PANEL, out, more);
      break;
#endif
    case KC_PACK_I8:
      multiply_bytes(mr, x, panel, w->scale + p * KC_PANEL, out);
      break;
    case KC_PACK_Q4_0:
      multiply_q4_0(mr, x, panel, out);
      break;
    case KC_PACK_Q4_1:
      multiply_q4_1(mr, x, panel, out);
      break;
    case KC_PACK_Q8_0:
      multiply_q8_0(mr, x, panel, out);
      break;
    case KC_PACK_Q4_K:
      multiply_q4_k(mr, x, panel, out);
      break;
    case KC_PACK_Q6_K:
      multiply_q6_k(mr, x, panel, out);
      break;
  }
}

static void multiply(int mr, rows_in x, const kc_packed *w, int32_t p, float *out) {
  multiply_some(mr, x, w, p, 0, x.k, out);
}

// Bytes of a panel that stay in the first-level cache while the tiles of a band
// pass over them.
#define SLICE 24576

// slice_inputs is how many inputs of a panel are that long; all where only
// floats can be added up across slices.
static int32_t slice_inputs(const kc_packed *w) {
  if (w->kind > KC_PACK_BF16 && w->kind != KC_PACK_HALF) return w->inputs;
  return SLICE / KC_PANEL / (w->kind == KC_PACK_F32 ? 4 : 2);
}
