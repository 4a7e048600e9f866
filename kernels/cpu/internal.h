// What the C files share among themselves.
#ifndef KUAI_KERNELS_CPU_INTERNAL_H
#define KUAI_KERNELS_CPU_INTERNAL_H

#include "kc.h"

// The surroundings of an operator while it runs.
typedef struct {
  void **at;
  const int32_t *scalars;
  kc_pool *pool;  // NULL: this thread computes alone
  int32_t threads;
  char *scratch;  // scratch_bytes for each thread
  int64_t scratch_bytes;
} kc_ctx;

typedef void (*kc_run_op)(const kc_ctx *c, const void *arg);

// The operators of each level; NULL where this build has none.
extern const kc_run_op *const kc_ops[KC_LEVELS];
extern const kc_run_op kc_ops_base[KC_OPS];
#if defined(__x86_64__)
extern const kc_run_op kc_ops_avx2[KC_OPS];
extern const kc_run_op kc_ops_avx512[KC_OPS];
extern const kc_run_op kc_ops_avx512_bf16[KC_OPS];
#elif defined(__aarch64__)
extern const kc_run_op kc_ops_dotprod[KC_OPS];
extern const kc_run_op kc_ops_i8mm[KC_OPS];
#endif

// kc_parallel calls work for every chunk and returns when all are done. thread
// is below the pool's threads and tells scratch memory apart.
typedef void (*kc_work)(void *arg, int32_t chunk, int32_t thread);
void kc_parallel(kc_pool *pool, kc_work work, void *arg, int32_t chunks);
int32_t kc_pool_threads(const kc_pool *pool);
int kc_pool_enter(kc_pool *pool);
void kc_pool_leave(kc_pool *pool);

// The most rows of a tile of any level.
#define KC_TILE_ROWS 12

static inline int32_t kc_len(const kc_ctx *c, kc_dim d) {
  int32_t n = (d.mul * (d.scalar ? c->scalars[d.scalar] : 0) + d.add) / d.div;
  return n > 0 ? n : 0;
}

static inline float *kc_f32(const kc_ctx *c, kc_mat m, int64_t row) {
  return (float *)c->at[m.at] + row * m.ld;
}

// Bytes of one block of 32 inputs by 32 outputs.
static inline int32_t kc_block_bytes(int32_t kind) {
  switch (kind) {
    case KC_PACK_Q4_0:
      return 64 + 512;
    case KC_PACK_Q4_1:
      return 128 + 512;
    case KC_PACK_Q8_0:
      return 64 + 1024;
    case KC_PACK_Q4_K:
      return 256 + 512;
    default:
      return 256 + 1024;  // Q6_K
  }
}

// Prepared rows: quants first, then scales, then sums.
static inline int64_t kc_prepared_stride(int32_t inputs) { return (inputs + 63) / 64 * 64; }
static inline int32_t kc_prepared_blocks(int32_t format, int32_t inputs) {
  return format == KC_X_I8_ROW || format == KC_X_HALF ? 1 : (inputs + KC_BLOCK - 1) / KC_BLOCK;
}

#endif
