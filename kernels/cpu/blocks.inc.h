// Tiles of weights in blocks of 32 inputs: integer sums within a block, floats
// across blocks.

// The kinds of blocks as the tile needs them.
INLINE int kind_nibbles(int kind) {
  return kind == KC_PACK_Q4_0 || kind == KC_PACK_Q4_1 || kind == KC_PACK_Q4_K;
}
INLINE int kind_minimum(int kind) { return kind == KC_PACK_Q4_1 || kind == KC_PACK_Q4_K; }
INLINE int kind_wide(int kind) { return kind == KC_PACK_Q4_K || kind == KC_PACK_Q6_K; }
INLINE int kind_zero(int kind) {
  switch (kind) {
    case KC_PACK_Q4_0:
      return 8;
    case KC_PACK_Q8_0:
      return SIGNED_FULL ? 0 : 128;
    case KC_PACK_Q6_K:
      return 32;
    default:
      return 0;
  }
}

INLINE vf load_scale(const int kind, const uint8_t *block, int at) {
  return kind_wide(kind) ? load((const float *)block + at)
                         : load_half((const uint16_t *)block + at);
}

INLINE vi load_quants(const int kind, const uint8_t *quants, int q, int column) {
  if (!kind_nibbles(kind)) return load_int(quants + q * 128 + column * 4);
  vi both = load_int(quants + q % 4 * 128 + column * 4);
  return (q < 4 ? both : both >> 4) & splat_int(0x0f0f0f0f);
}

// Quads from to to of one block: acc = zero point + products.
INLINE void block_dot(const int mr, const int kind, vi acc[MR_BLOCK][NV], const uint8_t *quants,
                      const int from, const int to, int column, const rows_in x, int32_t block) {
  const int halves = kind == KC_PACK_Q6_K;
  UNROLL for (int i = 0; i < mr; i++) {
    const int32_t *sum = x.sum + ((int64_t)i * x.blocks + block) * 2;
    int32_t s = halves ? sum[from / 4] : sum[0] + sum[1];
    vi start = splat_int(kind_zero(kind) ? -kind_zero(kind) * s : 0);
    UNROLL for (int j = 0; j < NV; j++) acc[i][j] = start;
  }
  UNROLL for (int q = from; q < to; q++) {
    vi wv[NV];
    UNROLL for (int j = 0; j < NV; j++) wv[j] = load_quants(kind, quants, q, column + j * VW);
    UNROLL for (int i = 0; i < mr; i++) {
      int32_t b = load_four(x.i8 + i * x.ld + block * KC_BLOCK + q * 4);
      UNROLL for (int j = 0; j < NV; j++) acc[i][j] =
          dot_bytes(acc[i][j], wv[j], b, kind == KC_PACK_Q8_0);
    }
  }
}

INLINE void block_scale(const int mr, vf sums[MR_BLOCK][NV], vi acc[MR_BLOCK][NV], const vf d[NV],
                        const rows_in x, int32_t block) {
  UNROLL for (int i = 0; i < mr; i++) {
    vf s = splat(x.scale[(int64_t)i * x.blocks + block]);
    UNROLL for (int j = 0; j < NV; j++) sums[i][j] += to_float(acc[i][j]) * (d[j] * s);
  }
}

INLINE void tile_blocks(const int mr, const int kind, const rows_in x, const uint8_t *w,
                        float *out) {
  const int head = kind_wide(kind) ? 256 : kind_minimum(kind) ? 128 : 64;
  for (int pass = 0; pass < KC_PANEL; pass += PASS) {
    vf sums[MR_BLOCK][NV];
    UNROLL for (int i = 0; i < mr; i++) UNROLL for (int j = 0; j < NV; j++) sums[i][j] = splat(0);
    const uint8_t *block = w;
    for (int32_t b = 0; b < x.blocks; b++, block += kc_block_bytes(kind)) {
      vi acc[MR_BLOCK][NV];
      vf d[NV];
      UNROLL for (int j = 0; j < NV; j++) d[j] = load_scale(kind, block, pass + j * VW);
      if (kind == KC_PACK_Q6_K) {
        block_dot(mr, kind, acc, block + head, 0, 4, pass, x, b);
        block_scale(mr, sums, acc, d, x, b);
        UNROLL for (int j = 0; j < NV; j++) d[j] =
            load_scale(kind, block, KC_PANEL + pass + j * VW);
        block_dot(mr, kind, acc, block + head, 4, 8, pass, x, b);
        block_scale(mr, sums, acc, d, x, b);
        continue;
      }
      block_dot(mr, kind, acc, block + head, 0, 8, pass, x, b);
      block_scale(mr, sums, acc, d, x, b);
      if (!kind_minimum(kind)) continue;
      UNROLL for (int j = 0; j < NV; j++) d[j] = load_scale(kind, block, KC_PANEL + pass + j * VW);
      UNROLL for (int i = 0; i < mr; i++) {
        const int32_t *sum = x.sum + ((int64_t)i * x.blocks + b) * 2;
        vf s = splat(x.scale[(int64_t)i * x.blocks + b] * (float)(sum[0] + sum[1]));
        UNROLL for (int j = 0; j < NV; j++) sums[i][j] += d[j] * s;
      }
    }
    UNROLL for (int i = 0; i < mr; i++) UNROLL for (int j = 0; j < NV; j++)
        store(out + i * KC_PANEL + pass + j * VW, sums[i][j]);
  }
}
