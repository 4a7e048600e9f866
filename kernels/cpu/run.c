// Memory, the choice of a level, and the loop over the steps of a program.
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "internal.h"

// From this size on, memory is aligned for large pages: weights are read from
// end to end, and a small page's address has to be looked up every 64 lines.
#define LARGE ((size_t)2 << 20)

void *kc_alloc(size_t bytes) {
  size_t size = (bytes + 127) / 64 * 64;  // vector loads may look past the end
  void *p;
  if (posix_memalign(&p, size < LARGE ? 64 : LARGE, size) != 0) return NULL;
#ifdef MADV_HUGEPAGE
  // A wish: failure only costs speed. The rest below a large page stays small.
  if (size >= LARGE) madvise(p, size / LARGE * LARGE, MADV_HUGEPAGE);
#endif
  return memset(p, 0, size);
}

void kc_free(void *memory) { free(memory); }

const kc_run_op *const kc_ops[KC_LEVELS] = {
    kc_ops_base,
#if defined(__x86_64__)
    kc_ops_avx2,
    kc_ops_avx512,
    kc_ops_avx512_bf16,
#endif
};

int32_t kc_best_level(void) {
#if defined(__x86_64__)
  int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
             __builtin_cpu_supports("f16c");
  int avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vnni");
  if (avx512) return __builtin_cpu_supports("avx512bf16") ? KC_AVX512_BF16 : KC_AVX512;
  if (avx2) return KC_AVX2;
#endif
  return KC_BASE;
}

static int64_t panels(int64_t n) { return (n + KC_PANEL - 1) / KC_PANEL * KC_PANEL; }

int64_t kc_attention_bytes(int32_t head, int32_t kv_heads, int64_t keys) {
  return panels(keys) * (head + panels(head)) * kv_heads * 4;
}

int64_t kc_attention_thread_bytes(int32_t head, int64_t keys) {
  return KC_TILE_ROWS * (panels(head) + panels(keys)) * 4;
}

void kc_run(kc_pool *pool, int32_t level, const kc_step *steps, int32_t count, void **at,
            const int32_t *scalars, char *scratch, int64_t scratch_bytes) {
  int entered = pool && kc_pool_enter(pool);
  kc_ctx c = {at,      scalars,      entered ? pool : NULL, entered ? kc_pool_threads(pool) : 1,
              scratch, scratch_bytes};
  const kc_run_op *ops = kc_ops[level];
  for (int32_t i = 0; i < count; i++) ops[steps[i].op](&c, steps[i].arg);
  if (entered) kc_pool_leave(pool);
}
