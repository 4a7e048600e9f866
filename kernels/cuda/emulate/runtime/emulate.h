// The CUDA of the emulator: what kernels/cuda/device.h spells with inline PTX or
// built-in names of nvcc, as C++. A block's threads are fibers; see runtime.cpp
// for what is checked.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#define __device__
#define __forceinline__ inline
#define __restrict__
#define __align__(n) alignas(n)

struct dim3_ {
  unsigned x = 1, y = 1, z = 1;
};
struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) uint2 {
  uint32_t x, y;
};
struct alignas(16) uint4 {
  uint32_t x, y, z, w;
};
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

namespace emulate {

struct Thread;
extern dim3_ grid_size, block_size, block_index;
dim3_ thread_index();

using Body = void (*)(const void* params);
struct Kernel {
  const char* name;
  Body body;
  size_t params;
  unsigned threads;
  Kernel* next;
  Kernel(const char* name, Body body, size_t params, unsigned threads);
};

// static_shared gives the array of a SHARED, the same to every thread of a block.
void* static_shared(const void* key, size_t bytes);
void* dynamic_shared();

void barrier(void* where);
void warp_barrier(uint32_t mask, void* where);
// gather gives each lane the words of all lanes that the mask names.
const uint64_t (*gather(uint32_t mask, const uint64_t* words, int count, void* where))[8];

void async_copy(void* to, const void* from, int bytes, void* where);
void async_commit();
void async_wait(int under_way);
void fence();
// atomic checks an access that other threads may do at the same time.
void atomic(void* at, int bytes, void* where);
int lane();

// shuffle gives the 32 bits that a lane has.
template <class T>
T shuffle(uint32_t mask, T v, int from, void* where) {
  static_assert(sizeof(T) == 4, "shuffles move 32 bits");
  uint64_t word = 0;
  memcpy(&word, &v, 4);
  word = gather(mask, &word, 1, where)[from & 31][0];
  memcpy(&v, &word, 4);
  return v;
}

}  // namespace emulate

#define threadIdx (emulate::thread_index())
#define blockIdx (emulate::block_index)
#define blockDim (emulate::block_size)
#define gridDim (emulate::grid_size)

#define KERNEL(name, Params, threads, blocks)                                                 \
  static void name##_body(const Params& p);                                                   \
  static emulate::Kernel name##_kernel(                                                       \
      #name, [](const void* p) { name##_body(*(const Params*)p); }, sizeof(Params), threads); \
  static void name##_body(const Params& p)

#define SHARED(type, name, n)       \
  static const char name##_key = 0; \
  type* const name = (type*)emulate::static_shared(&name##_key, sizeof(type) * (n))
#define DYNAMIC(name) uint8_t* const name = (uint8_t*)emulate::dynamic_shared()

// What names its place in errors is a call.
#define HERE __builtin_return_address(0)
#define CALLED __attribute__((noinline))
CALLED inline void __syncthreads() { emulate::barrier(HERE); }
CALLED inline void __syncwarp(uint32_t mask = 0xffffffffu) { emulate::warp_barrier(mask, HERE); }
inline void __threadfence() { emulate::fence(); }

template <class T>
CALLED T __shfl_sync(uint32_t mask, T v, int from) {
  return emulate::shuffle(mask, v, from, HERE);
}
template <class T>
CALLED T __shfl_xor_sync(uint32_t mask, T v, int with) {
  return emulate::shuffle(mask, v, emulate::lane() ^ with, HERE);
}
template <class T>
CALLED T __shfl_down_sync(uint32_t mask, T v, int by) {
  int from = emulate::lane() + by;
  return emulate::shuffle(mask, v, from > 31 ? emulate::lane() : from, HERE);
}
uint32_t __ballot_sync(uint32_t mask, int predicate);
inline int __any_sync(uint32_t mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(uint32_t mask, int predicate) {
  return __ballot_sync(mask, predicate) == mask;
}

template <class T>
CALLED __attribute__((no_sanitize_address)) T atomicAdd(T* at, T v) {
  emulate::atomic(at, sizeof(T), HERE);
  T old;
  memcpy(&old, at, sizeof old);
  T now = old + v;
  memcpy(at, &now, sizeof now);
  return old;
}
template <class T>
CALLED __attribute__((no_sanitize_address)) T atomicMax(T* at, T v) {
  emulate::atomic(at, sizeof(T), HERE);
  T old;
  memcpy(&old, at, sizeof old);
  T now = old < v ? v : old;
  memcpy(at, &now, sizeof now);
  return old;
}

CALLED inline void copy_async16(void* to, const void* from, int bytes) {
  emulate::async_copy(to, from, bytes, HERE);
}
inline void copy_async_commit() { emulate::async_commit(); }
template <int N>
void copy_async_wait() {
  emulate::async_wait(N);
}

void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
void mma_f16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);
void mma_s8(int (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);

uint16_t to_bf16(float x);
uint16_t to_f16(float x);
float from_f16(uint16_t h);

inline float __uint_as_float(uint32_t u) {
  float x;
  memcpy(&x, &u, 4);
  return x;
}
inline uint32_t __float_as_uint(float x) {
  uint32_t u;
  memcpy(&u, &x, 4);
  return u;
}
int __dp4a(int a, int b, int c);
template <class T>
T min(T a, T b) {
  return b < a ? b : a;
}
template <class T>
T max(T a, T b) {
  return a < b ? b : a;
}
