// Memory, the choice of a level, and the loop over the steps of a program.
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

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
    [KC_BASE] = kc_ops_base,
#if defined(__x86_64__)
    [KC_AVX2] = kc_ops_avx2,
    [KC_AVX512] = kc_ops_avx512,
    [KC_AVX512_BF16] = kc_ops_avx512_bf16,
#elif defined(__aarch64__)
    [KC_DOTPROD] = kc_ops_dotprod,
    [KC_I8MM] = kc_ops_i8mm,
#endif
};

// runs says whether this processor has what a level needs.
static int runs(int32_t level) {
#if defined(__x86_64__)
  int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
             __builtin_cpu_supports("f16c");
  int avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vnni");
  if (level == KC_AVX2) return avx2;
  if (level == KC_AVX512) return avx512;
  if (level == KC_AVX512_BF16) return avx512 && __builtin_cpu_supports("avx512bf16");
#elif defined(__aarch64__) && defined(__linux__)
  unsigned long first = getauxval(AT_HWCAP), second = getauxval(AT_HWCAP2);
  int dot = (first & HWCAP_ASIMDDP) && (first & HWCAP_ASIMDHP);
  if (level == KC_DOTPROD) return dot;
  if (level == KC_I8MM) return dot && (second & HWCAP2_I8MM) && (second & HWCAP2_BF16);
#endif
  return level == KC_BASE;
}

int32_t kc_best_level(int32_t most) {
  int32_t level = most < KC_LEVELS ? most : KC_LEVELS - 1;
  while (level > KC_BASE && !(kc_ops[level] && runs(level))) level--;
  return level;
}

int kc_halves(int32_t level) { return level == KC_DOTPROD; }

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
