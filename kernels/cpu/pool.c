// Threads that spin for a while, then park. Work is claimed chunk by chunk from
// one 64-bit word, so a worker that comes late finds nothing to claim and a
// thread that the system takes away delays only the chunk it holds.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "internal.h"

// The word: a serial number (24 bits), the number of chunks (20), the next one (20).
#define CHUNK_BITS 20
#define CHUNK_MASK ((UINT64_C(1) << CHUNK_BITS) - 1)

// Turns of the spinning loop before a worker parks: some hundred microseconds.
#define SPINS 20000

// Turns before a thread that waits during a run offers its processor to others:
// on a machine that is busy, one of them may hold what it waits for.
#define PATIENCE 1000

struct kc_pool {
  _Alignas(64) atomic_uint_fast64_t word;
  _Alignas(64) atomic_int done;
  _Alignas(64) atomic_int parked;
  atomic_int active;  // a run is going on: do not park
  atomic_int closing;
  atomic_flag busy;  // one run at a time
  kc_work work;
  void *arg;
  uint64_t serial;
  int32_t threads;
  pthread_t *workers;
  struct start *starts;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
};

struct start {
  kc_pool *pool;
  int32_t thread;
};

static inline void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// claim takes a chunk, -1 where none is left. Whoever holds a chunk may read
// work and arg: they stay until the last chunk is done.
static int32_t claim(kc_pool *pool) {
  uint64_t word = atomic_load_explicit(&pool->word, memory_order_acquire);
  for (;;) {
    uint64_t next = word & CHUNK_MASK, total = word >> CHUNK_BITS & CHUNK_MASK;
    if (next >= total) return -1;
    if (atomic_compare_exchange_weak_explicit(&pool->word, &word, word + 1, memory_order_acq_rel,
                                              memory_order_acquire))
      return (int32_t)next;
  }
}

static int help(kc_pool *pool, int32_t thread) {
  int any = 0;
  for (int32_t chunk; (chunk = claim(pool)) >= 0; any = 1) {
    pool->work(pool->arg, chunk, thread);
    atomic_fetch_add_explicit(&pool->done, 1, memory_order_release);
  }
  return any;
}

static void park(kc_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  atomic_fetch_add(&pool->parked, 1);
  while (!atomic_load(&pool->active) && !atomic_load(&pool->closing))
    pthread_cond_wait(&pool->wake, &pool->mutex);
  atomic_fetch_sub(&pool->parked, 1);
  pthread_mutex_unlock(&pool->mutex);
}

static void *worker(void *arg) {
  struct start *s = arg;
  kc_pool *pool = s->pool;
  for (int spins = 0; !atomic_load_explicit(&pool->closing, memory_order_relaxed);) {
    if (help(pool, s->thread)) spins = 0;
    relax();
    if (++spins % PATIENCE == 0 && atomic_load(&pool->active)) sched_yield();
    if (spins < SPINS) continue;
    spins = 0;
    park(pool);
  }
  return NULL;
}

static void wake_all(kc_pool *pool) {
  if (atomic_load(&pool->parked) == 0) return;
  pthread_mutex_lock(&pool->mutex);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->mutex);
}

kc_pool *kc_pool_new(int32_t threads) {
  kc_pool *pool = kc_alloc(sizeof *pool);
  if (!pool) return NULL;
  pool->threads = 1;
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->wake, NULL);
  pool->workers = calloc((size_t)threads, sizeof *pool->workers);
  pool->starts = calloc((size_t)threads, sizeof *pool->starts);
  while (pool->workers && pool->starts && pool->threads < threads) {
    struct start *s = &pool->starts[pool->threads];
    *s = (struct start){pool, pool->threads};
    if (pthread_create(&pool->workers[pool->threads], NULL, worker, s) != 0) break;
    pool->threads++;
  }
  if (pool->threads == threads) return pool;
  kc_pool_free(pool);
  return NULL;
}

void kc_pool_free(kc_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  atomic_store(&pool->closing, 1);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->mutex);
  for (int32_t i = 1; i < pool->threads; i++) pthread_join(pool->workers[i], NULL);
  pthread_cond_destroy(&pool->wake);
  pthread_mutex_destroy(&pool->mutex);
  free(pool->workers);
  free(pool->starts);
  kc_free(pool);
}

int32_t kc_pool_threads(const kc_pool *pool) { return pool ? pool->threads : 1; }

// kc_pool_enter takes the pool for a run; 0 where another run has it.
int kc_pool_enter(kc_pool *pool) {
  if (atomic_flag_test_and_set(&pool->busy)) return 0;
  atomic_store(&pool->active, 1);
  wake_all(pool);
  return 1;
}

void kc_pool_leave(kc_pool *pool) {
  atomic_store(&pool->active, 0);
  atomic_flag_clear(&pool->busy);
}

static void parallel_some(kc_pool *pool, kc_work work, void *arg, int32_t chunks) {
  pool->work = work;
  pool->arg = arg;
  atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
  uint64_t word = ++pool->serial << 2 * CHUNK_BITS | (uint64_t)chunks << CHUNK_BITS;
  atomic_store_explicit(&pool->word, word, memory_order_release);
  help(pool, 0);
  for (int spins = 0; atomic_load_explicit(&pool->done, memory_order_acquire) < chunks;) {
    relax();
    if (++spins % PATIENCE == 0) sched_yield();
  }
}

void kc_parallel(kc_pool *pool, kc_work work, void *arg, int32_t chunks) {
  if (!pool || pool->threads == 1 || chunks <= 1 || chunks > (int32_t)CHUNK_MASK) {
    for (int32_t i = 0; i < chunks; i++) work(arg, i, 0);
    return;
  }
  parallel_some(pool, work, arg, chunks);
}
