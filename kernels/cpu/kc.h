// What Go and C share: packed weights, the operators of a compiled program and
// the thread pool.
//
// Go allocates every struct here with kc_alloc (zeroed, 64-byte aligned) and
// frees it with kc_free; C keeps no pointer beyond the call except where a
// struct holds it. Values are named by their index in the table of pointers
// that an instance has. Activations are row-major f32.
#ifndef KUAI_KERNELS_CPU_KC_H
#define KUAI_KERNELS_CPU_KC_H

#include <stddef.h>
#include <stdint.h>

// Outputs in one panel of a packed matrix: two AVX-512 registers of f32.
#define KC_PANEL 32

// Numbers in one block of quantised activations.
#define KC_BLOCK 32

void *kc_alloc(size_t bytes);
void kc_free(void *memory);

// A length: (mul*scalars[scalar] + add) / div; scalar 0 reads as 0.
typedef struct {
  int32_t scalar, mul, add, div;
} kc_dim;

// Numbers of weights, states and outputs; the values are those of
// kernels.DType for F32, F16 and BF16.
enum { KC_F32 = 1, KC_F16 = 2, KC_BF16 = 3 };

// A matrix in the memory of an instance; at < 0 means absent.
typedef struct {
  int32_t at, cols;
  int32_t ld;    // numbers from one row to the next
  int32_t type;  // KC_F32 where nothing else is said
  kc_dim rows;
} kc_mat;

// How a packed matrix holds its numbers. Outputs are cut into panels of
// KC_PANEL; within a panel the numbers that a kernel loads together lie
// together:
//   F32, F16   [inputs][32]
//   BF16       [inputs/2][32][2]
//   I8         [inputs/4][32][4] as unsigned bytes with 128 for 0, scale per output
//   HALF       [inputs][32] in f16, over the scale per output, a power of two, so
//              that none is above 1: a product that sums in f16 cannot overflow
//   Q4_0 ..    per block of 32 inputs: 32 scales (then 32 minima, or 32 more
//              scales for Q6_K), then the quants, [4][32][4] bytes of two
//              nibbles (inputs 4q+j and 16+4q+j) or [8][32][4] bytes
typedef enum {
  KC_PACK_F32,
  KC_PACK_F16,
  KC_PACK_BF16,
  KC_PACK_I8,
  KC_PACK_Q4_0,
  KC_PACK_Q4_1,
  KC_PACK_Q8_0,
  KC_PACK_Q4_K,
  KC_PACK_Q6_K,
  KC_PACK_HALF,
} kc_pack_kind;

typedef struct {
  int32_t kind;
  int32_t outputs, inputs;
  int64_t panel_bytes;
  uint8_t *data;  // 64-byte aligned, panels one after the other
  float *scale;   // I8, HALF: per output, padded to panels
} kc_packed;

// kc_packed_bytes is the size of data and sets panel_bytes.
int64_t kc_packed_bytes(kc_packed *p);
// kc_pack_floats writes row r of F32, BF16, or rounds it to HALF or I8.
void kc_pack_floats(kc_packed *p, int32_t r, const float *row);
// kc_pack_stored writes row r from a file's bytes of the same type.
void kc_pack_stored(kc_packed *p, int32_t r, const uint8_t *row);
// kc_unpack decodes row r to inputs floats.
void kc_unpack(const kc_packed *p, int32_t r, float *row);

float kc_half_to_float(uint16_t h);
uint16_t kc_float_to_half(float f);
uint16_t kc_float_to_brain(float f);

// How a product rounds its input.
typedef enum { KC_X_F32, KC_X_BF16, KC_X_I8_ROW, KC_X_I8_BLOCK, KC_X_HALF } kc_x_format;

// Normalisation of a row; kind < 0 means none. gain holds GainOffset+Gain.
typedef struct {
  int32_t kind;  // kernels.NormKind
  float epsilon;
  const float *gain, *bias;  // or NULL
} kc_norm;

// One matrix of a product: out = act(x·wᵀ + bias) [· (x·w2ᵀ + bias2)] + residual.
// bias is padded to panels. out begins at row scalars[out_row].
typedef struct {
  const kc_packed *w, *w2;
  const float *bias, *bias2;
  int32_t act;
  int32_t out_row;
  kc_mat residual, out;
} kc_segment;

// Products of one input, normalised and rounded once. scratch is the index of
// memory for the prepared rows, kc_prepared_bytes each.
typedef struct {
  kc_mat x;  // cols is the number of inputs; rows may overlap (ld < cols)
  kc_norm norm;
  int32_t format;
  float range;  // of KC_X_I8_ROW; 0: each row's own
  int32_t scratch;
  int32_t count;
  kc_segment *segments;
} kc_product;

int64_t kc_prepared_bytes(int32_t format, int32_t inputs, int64_t rows);

typedef struct {
  kc_mat x, out;
  kc_norm norm;
  int32_t groups;
} kc_norm_op;

// Cosines and sines of positions: out [rows, 2*pairs].
typedef struct {
  int32_t positions, pairs;
  const double *frequencies;
  kc_mat out;
} kc_rope_table;

typedef struct {
  kc_mat x, table, out;
  int32_t heads, pairs, interleaved;
  int32_t out_row;
} kc_rope;

typedef struct {
  kc_mat x, out;
  int32_t out_row;
} kc_store;

typedef struct {
  kc_mat q, k, v, out;
  int32_t heads, kv_heads, causal, window, batch;
  int32_t cached, past, length;  // scalars
  float scale, softcap;
  int32_t mask, mask_ld;  // index or -1
  int32_t scratch;        // packed keys and values, kc_attention_bytes
} kc_attention;

int64_t kc_attention_bytes(int32_t head, int32_t kv_heads, int64_t keys);
// kc_attention_thread_bytes is what each thread needs.
int64_t kc_attention_thread_bytes(int32_t head, int64_t keys);

typedef struct {
  kc_mat x, out;
  int32_t log;
} kc_softmax;

typedef struct {
  kc_mat x, out;
  int32_t rows, cols;
  kc_dim n;
} kc_logprob;

typedef struct {
  kc_mat x, y, out;
  int32_t kind, act;
  int32_t y_row, y_col;  // 0 where a row or a column of y repeats
} kc_binary;

typedef struct {
  kc_mat x, out;
  int32_t act;
} kc_activate;

typedef struct {
  const kc_packed *table;
  int32_t ids;
  float scale;
  kc_mat out;
} kc_embed;

typedef struct {
  kc_mat x, out;
  int32_t rows;
} kc_gather;

// Copies rows of x to out; out_after moves the first row behind the rows of
// other values.
typedef struct {
  kc_mat x, out;
  kc_dim out_after;
} kc_copy;

// Rows before and after those of x: zeros, or mirrored.
typedef struct {
  kc_mat x, out;
  int32_t left, mirror;
} kc_pad;

typedef struct {
  kc_mat x, out;
} kc_mean;

// Windows of an image as rows [KH*KW*channels]; bytes are scaled per channel.
typedef struct {
  int32_t x, bytes;
  int32_t height, width, channels;
  int32_t kh, kw, stride, padding, out_width;
  const float *scale, *shift;  // of bytes, per channel
  kc_mat out;
} kc_windows;

typedef struct {
  int32_t x, out;
  int32_t height, width, channels;
  int32_t kernel, stride, padding, out_height, out_width;
} kc_max_pool;

// A picture of bytes made of another, whose rows are scalars[width] pixels; across
// and down hold, for each pixel, the first, how many, and their weights.
typedef struct {
  int32_t x, out, across, down;
  int32_t width;  // scalar
  int32_t out_height, out_width, channels;
  int32_t across_ld, down_ld;
} kc_resize;

typedef struct {
  kc_mat x, out;
} kc_log_power;

// scratch is memory for a row.
typedef struct {
  kc_mat x;
  int32_t recent, how, out, scratch;
  kc_dim n;  // of recent
} kc_sample;

// gates = x·wxᵀ + biases, computed before; step by step the rest.
typedef struct {
  kc_mat gates, out;
  const kc_packed *w;
  int32_t format;
  float range;
  int32_t h, c;
  int32_t scratch;  // a prepared row, then 4*hidden floats padded to panels
} kc_lstm;

typedef enum {
  KC_PRODUCT,
  KC_NORM,
  KC_ROPE_TABLE,
  KC_ROPE,
  KC_STORE,
  KC_ATTENTION,
  KC_SOFTMAX,
  KC_LOGPROB,
  KC_BINARY,
  KC_ACTIVATE,
  KC_EMBED,
  KC_GATHER,
  KC_COPY,
  KC_PAD,
  KC_MEAN,
  KC_WINDOWS,
  KC_MAX_POOL,
  KC_LSTM,
  KC_RESIZE,
  KC_LOG_POWER,
  KC_SAMPLE,
  KC_OPS,
} kc_op;

typedef struct {
  int32_t op;
  const void *arg;
} kc_step;

typedef struct kc_pool kc_pool;

// kc_pool_new starts threads-1 workers; NULL where they cannot be started.
kc_pool *kc_pool_new(int32_t threads);
void kc_pool_free(kc_pool *pool);

// Levels of kernels, for what the processor has.
typedef enum {
  KC_BASE,
  KC_AVX2,
  KC_AVX512,
  KC_AVX512_BF16,
  KC_DOTPROD,
  KC_I8MM,
  KC_LEVELS
} kc_level;

// kc_best_level is the highest level up to most that this processor runs.
int32_t kc_best_level(int32_t most);

// kc_halves says whether a level multiplies in f16 where bf16 is asked for.
int kc_halves(int32_t level);

// kc_run computes steps in order. A second run on one pool at the same time
// uses its own thread alone.
void kc_run(kc_pool *pool, int32_t level, const kc_step *steps, int32_t count, void **at,
            const int32_t *scalars, char *scratch, int64_t scratch_bytes);

#endif
