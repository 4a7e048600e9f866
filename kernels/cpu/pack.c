// Weights in the order in which the kernels read them; the layouts are in kc.h.
#include <math.h>
#include <string.h>

#include "internal.h"

float kc_half_to_float(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, mantissa = h & 0x3ff;
  uint32_t bits;
  float f;
  if (exponent == 0) {
    f = (float)mantissa / (1 << 24);
    memcpy(&bits, &f, 4);
    bits |= sign;
  } else if (exponent == 31) {
    bits = sign | 0x7f800000 | mantissa << 13;
  } else {
    bits = sign | (exponent + 112) << 23 | mantissa << 13;
  }
  memcpy(&f, &bits, 4);
  return f;
}

uint16_t kc_float_to_half(float f) {
  uint32_t bits;
  memcpy(&bits, &f, 4);
  uint16_t sign = bits >> 16 & 0x8000;
  bits &= 0x7fffffff;
  if (bits > 0x7f800000) return sign | 0x7e00;
  if (bits >= 0x477ff000) return sign | 0x7c00;
  if (bits < 0x38800000) {  // adding 0.5 aligns a subnormal's mantissa, rounded
    float x;
    memcpy(&x, &bits, 4);
    x += 0.5f;
    memcpy(&bits, &x, 4);
    return sign | (uint16_t)(bits - 0x3f000000);
  }
  bits += 0xfff + (bits >> 13 & 1);
  return sign | (uint16_t)((bits >> 13) - (112 << 10));
}

uint16_t kc_float_to_brain(float f) {
  uint32_t bits;
  memcpy(&bits, &f, 4);
  if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

int64_t kc_packed_bytes(kc_packed *p) {
  int64_t k = p->inputs, panels = (p->outputs + KC_PANEL - 1) / KC_PANEL;
  switch (p->kind) {
    case KC_PACK_F32:
      p->panel_bytes = k * KC_PANEL * 4;
      break;
    case KC_PACK_F16:
    case KC_PACK_HALF:
      p->panel_bytes = k * KC_PANEL * 2;
      break;
    case KC_PACK_BF16:
      p->panel_bytes = (k + 1) / 2 * KC_PANEL * 4;
      break;
    case KC_PACK_I8:
      p->panel_bytes = (k + 3) / 4 * KC_PANEL * 4;
      break;
    default:
      p->panel_bytes = k / KC_BLOCK * kc_block_bytes(p->kind);
  }
  return p->panel_bytes * panels;
}

// Where number k of row r of a matrix of single numbers lies, in numbers.
static int64_t place(int32_t together, int32_t r, int32_t k) {
  return (int64_t)(k / together) * KC_PANEL * together + r % KC_PANEL * together + k % together;
}

static uint8_t *panel_of(const kc_packed *p, int32_t r) {
  return p->data + r / KC_PANEL * p->panel_bytes;
}

static void round_row(kc_packed *p, int32_t r, const float *row) {
  float top = 0;
  for (int32_t k = 0; k < p->inputs; k++) top = fmaxf(top, fabsf(row[k]));
  float scale = top / 127;
  p->scale[r] = scale;
  uint8_t *panel = panel_of(p, r);
  for (int32_t k = 0; k < p->inputs; k++) {
    float q = scale > 0 ? rintf(row[k] / scale) : 0;
    panel[place(4, r, k)] = (uint8_t)(128 + (int)fmaxf(-127, fminf(127, q)));
  }
}

// half_row rounds a row over a power of two that leaves none above 1.
static void half_row(kc_packed *p, int32_t r, const float *row) {
  float top = 0;
  int exponent;
  for (int32_t k = 0; k < p->inputs; k++) top = fmaxf(top, fabsf(row[k]));
  frexpf(top, &exponent);
  p->scale[r] = ldexpf(1, exponent);
  uint16_t *panel = (uint16_t *)panel_of(p, r);
  for (int32_t k = 0; k < p->inputs; k++)
    panel[place(1, r, k)] = kc_float_to_half(ldexpf(row[k], -exponent));
}

void kc_pack_floats(kc_packed *p, int32_t r, const float *row) {
  uint8_t *panel = panel_of(p, r);
  switch (p->kind) {
    case KC_PACK_F32:
      for (int32_t k = 0; k < p->inputs; k++) ((float *)panel)[place(1, r, k)] = row[k];
      break;
    case KC_PACK_BF16:
      for (int32_t k = 0; k < p->inputs; k++)
        ((uint16_t *)panel)[place(2, r, k)] = kc_float_to_brain(row[k]);
      break;
    case KC_PACK_HALF:
      half_row(p, r, row);
      break;
    default:
      round_row(p, r, row);
  }
}

// The 6-bit scale and minimum of group j of a Q4_K block.
static void scale_min(const uint8_t *s, int j, int *scale, int *min) {
  if (j < 4) {
    *scale = s[j] & 63;
    *min = s[j + 4] & 63;
    return;
  }
  *scale = (s[j + 4] & 15) | s[j - 4] >> 6 << 4;
  *min = s[j + 4] >> 4 | s[j] >> 6 << 4;
}

static uint16_t read16(const uint8_t *b) { return (uint16_t)(b[0] | b[1] << 8); }

// Groups of a Q4_K block hold nibbles of 32 bytes: even groups the low ones,
// odd groups the high ones. They become eight packed blocks.
static void pack_q4k(uint8_t *dst, int lane, const uint8_t *b) {
  float d = kc_half_to_float(read16(b)), dmin = kc_half_to_float(read16(b + 2));
  for (int group = 0; group < 8; group++, dst += kc_block_bytes(KC_PACK_Q4_K)) {
    int scale, min, shift = group % 2 * 4;
    scale_min(b + 4, group, &scale, &min);
    ((float *)dst)[lane] = d * (float)scale;
    ((float *)dst)[KC_PANEL + lane] = -dmin * (float)min;
    const uint8_t *quants = b + 16 + group / 2 * 32;
    for (int i = 0; i < 16; i++)
      dst[256 + i / 4 * 128 + lane * 4 + i % 4] =
          (uint8_t)((quants[i] >> shift & 15) | (quants[i + 16] >> shift & 15) << 4);
  }
}

static void pack_q6k(uint8_t *dst, int lane, const uint8_t *b) {
  const uint8_t *low = b, *high = b + 128, *scales = b + 192;
  float d = kc_half_to_float(read16(b + 208));
  for (int i = 0; i < 256; i++) {
    int part = i / 128, at = i % 128, in = i % 32;
    int l = low[part * 64 + at % 64] >> at / 64 * 4 & 15;
    int h = high[part * 32 + at % 32] >> 2 * (at / 32) & 3;
    uint8_t *block = dst + i / 32 * kc_block_bytes(KC_PACK_Q6_K);
    if (i % 16 == 0)
      ((float *)block)[in / 16 * KC_PANEL + lane] = d * (float)(int8_t)scales[i / 16];
    block[256 + in / 4 * 128 + lane * 4 + in % 4] = (uint8_t)(l | h << 4);
  }
}

static void pack_block(uint8_t *dst, int kind, int lane, const uint8_t *b) {
  uint8_t *quants = dst + (kind == KC_PACK_Q4_1 ? 128 : 64);
  const uint8_t *from = b + (kind == KC_PACK_Q4_1 ? 4 : 2);
  memcpy(dst + 2 * lane, b, 2);
  if (kind == KC_PACK_Q4_1) memcpy(dst + 64 + 2 * lane, b + 2, 2);
  if (kind == KC_PACK_Q8_0) {
    for (int i = 0; i < 32; i++) quants[i / 4 * 128 + lane * 4 + i % 4] = from[i] ^ 0x80;
    return;
  }
  // Byte i holds inputs i and i+16: the packed order.
  for (int q = 0; q < 4; q++) memcpy(quants + q * 128 + lane * 4, from + q * 4, 4);
}

void kc_pack_stored(kc_packed *p, int32_t r, const uint8_t *row) {
  uint8_t *panel = panel_of(p, r);
  int lane = r % KC_PANEL;
  int64_t block = kc_block_bytes(p->kind);
  switch (p->kind) {
    case KC_PACK_F16:
      for (int32_t k = 0; k < p->inputs; k++)
        memcpy(panel + 2 * place(1, r, k), row + 2 * (int64_t)k, 2);
      break;
    case KC_PACK_BF16:
      for (int32_t k = 0; k < p->inputs; k++)
        memcpy(panel + 2 * place(2, r, k), row + 2 * (int64_t)k, 2);
      break;
    case KC_PACK_I8:
      for (int32_t k = 0; k < p->inputs; k++) panel[place(4, r, k)] = row[k] ^ 0x80;
      break;
    case KC_PACK_Q4_K:
      for (int32_t k = 0; k < p->inputs; k += 256, panel += 8 * block, row += 144)
        pack_q4k(panel, lane, row);
      break;
    case KC_PACK_Q6_K:
      for (int32_t k = 0; k < p->inputs; k += 256, panel += 8 * block, row += 210)
        pack_q6k(panel, lane, row);
      break;
    default: {
      int bytes = p->kind == KC_PACK_Q4_0 ? 18 : p->kind == KC_PACK_Q4_1 ? 20 : 34;
      for (int32_t k = 0; k < p->inputs; k += KC_BLOCK, panel += block, row += bytes)
        pack_block(panel, p->kind, lane, row);
    }
  }
}

static float brain_to_float(uint16_t h) {
  uint32_t bits = (uint32_t)h << 16;
  float f;
  memcpy(&f, &bits, 4);
  return f;
}

static int nibble_at(const uint8_t *quants, int lane, int i) {
  return quants[i % 16 / 4 * 128 + lane * 4 + i % 4] >> i / 16 * 4 & 15;
}

static void unpack_block(const uint8_t *b, int kind, int lane, float *out) {
  const float *wide = (const float *)b;
  float d = kind < KC_PACK_Q4_K ? kc_half_to_float(((const uint16_t *)b)[lane]) : wide[lane];
  for (int i = 0; i < KC_BLOCK; i++) {
    int byte_at = i / 4 * 128 + lane * 4 + i % 4;
    switch (kind) {
      case KC_PACK_Q4_0:
        out[i] = d * (float)(nibble_at(b + 64, lane, i) - 8);
        break;
      case KC_PACK_Q4_1: {
        float m = kc_half_to_float(((const uint16_t *)b)[KC_PANEL + lane]);
        out[i] = d * (float)nibble_at(b + 128, lane, i) + m;
        break;
      }
      case KC_PACK_Q8_0:
        out[i] = d * (float)(b[64 + byte_at] - 128);
        break;
      case KC_PACK_Q4_K:
        out[i] = d * (float)nibble_at(b + 256, lane, i) + wide[KC_PANEL + lane];
        break;
      default:
        out[i] = wide[i / 16 * KC_PANEL + lane] * (float)(b[256 + byte_at] - 32);
    }
  }
}

void kc_unpack(const kc_packed *p, int32_t r, float *row) {
  const uint8_t *panel = panel_of(p, r);
  for (int32_t k = 0; k < p->inputs; k++) {
    switch (p->kind) {
      case KC_PACK_F32:
        row[k] = ((const float *)panel)[place(1, r, k)];
        break;
      case KC_PACK_F16:
        row[k] = kc_half_to_float(((const uint16_t *)panel)[place(1, r, k)]);
        break;
      case KC_PACK_HALF:
        row[k] = p->scale[r] * kc_half_to_float(((const uint16_t *)panel)[place(1, r, k)]);
        break;
      case KC_PACK_BF16:
        row[k] = brain_to_float(((const uint16_t *)panel)[place(2, r, k)]);
        break;
      case KC_PACK_I8:
        row[k] = p->scale[r] * (float)(panel[place(4, r, k)] - 128);
        break;
      default:
        unpack_block(panel, p->kind, r % KC_PANEL, row + k);
        panel += kc_block_bytes(p->kind);
        k += KC_BLOCK - 1;
    }
  }
}

int64_t kc_prepared_bytes(int32_t format, int32_t inputs, int64_t rows) {
  int64_t stride = kc_prepared_stride(inputs), blocks = kc_prepared_blocks(format, inputs);
  switch (format) {
    case KC_X_F32:
      return stride * 4 * rows;
    case KC_X_BF16:
      return stride * 2 * rows;
    case KC_X_HALF:
      return (stride * 2 + 4) * rows + 64;
    default:
      return (stride + blocks * 12 + 64) * rows + 192;
  }
}
