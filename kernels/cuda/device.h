// What every kernel is written with: the types that the host fills (layout.go
// has the same structs), and the few things that CUDA C++ and the emulator spell
// differently. A kernel is KERNEL(name, Params, threads, blocks) { ... }: so many
// threads a block, so many blocks on a multiprocessor at once, which bounds the
// registers. It has one parameter, p, of at most 4 KiB. Pointers in it are device addresses;
// nothing is written but what the comment of a struct calls a result.
#pragma once

#ifdef KUAI_EMULATE
#include "emulate.h"
#else
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
#define INFINITY __int_as_float(0x7f800000)

#define KERNEL(name, Params, threads, blocks)                   \
  extern "C" __global__ void __launch_bounds__(threads, blocks) \
      name(const __grid_constant__ Params p)
// SHARED is an array of a block; DYNAMIC the bytes that the launch asks for.
#define SHARED(type, name, n) __shared__ __align__(16) type name[n]
#define DYNAMIC(name) extern __shared__ __align__(16) uint8_t name[]

__device__ inline uint32_t shared_address(const void* p) {
  return (uint32_t)__cvta_generic_to_shared(p);
}

// copy_async16 starts a copy of 16 bytes to shared memory; of `from` only the
// first `bytes` are read, the rest become zeros.
__device__ inline void copy_async16(void* to, const void* from, int bytes) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from),
               "r"(bytes)
               : "memory");
}
__device__ inline void copy_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
// copy_async_wait returns when at most N of this thread's groups are under way.
template <int N>
__device__ inline void copy_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}

// The products of a warp, d += a * b, in the fragments of the PTX manual
// ("Matrix Fragments for mma.m16n8k16" and "m16n8k32").
__device__ inline void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
__device__ inline void mma_f16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
__device__ inline void mma_s8(int (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

__device__ inline uint16_t to_bf16(float x) {
  uint16_t h;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(h) : "f"(x));
  return h;
}
__device__ inline uint16_t to_f16(float x) {
  uint16_t h;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(x));
  return h;
}
__device__ inline float from_f16(uint16_t h) {
  float x;
  asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(h));
  return x;
}
#endif

#define ALL_LANES 0xffffffffu

// Dim is a length: (mul * scalar + add) / div, or add where there is no scalar.
struct Dim {
  int scalar, mul, add, div;
};

__device__ inline int length(const Dim& d, const int* scalars) {
  int n = d.scalar ? scalars[d.scalar] : 0;
  int v = (d.mul * n + d.add) / d.div;
  return v < 0 ? 0 : v;
}

// Mat is a matrix of f32 (or what the kernel says), ld numbers from row to row.
struct Mat {
  char* at;
  Dim rows;
  int cols, ld;
};

// The numbers of kernels.DType that values and weights have.
enum Type {
  TYPE_F32 = 1,
  TYPE_F16,
  TYPE_BF16,
  TYPE_I32,
  TYPE_U8,
  TYPE_I8,
  TYPE_Q4_0,
  TYPE_Q4_1,
  TYPE_Q8_0,
  TYPE_Q4_K,
  TYPE_Q6_K
};

__device__ inline float from_bf16(uint16_t h) { return __uint_as_float((uint32_t)h << 16); }
__device__ inline uint32_t pair(uint16_t low, uint16_t high) { return (uint32_t)high << 16 | low; }

// load_number and store_number convert between f32 and the type in memory.
__device__ inline float load_number(const char* at, int type, long i) {
  if (type == TYPE_F32) return ((const float*)at)[i];
  uint16_t h = ((const uint16_t*)at)[i];
  return type == TYPE_F16 ? from_f16(h) : from_bf16(h);
}
__device__ inline void store_number(char* at, int type, long i, float x) {
  if (type == TYPE_F32)
    ((float*)at)[i] = x;
  else
    ((uint16_t*)at)[i] = type == TYPE_F16 ? to_f16(x) : to_bf16(x);
}

// The activations of kernels.Activation, in its order.
enum Act {
  ACT_NONE,
  ACT_GELU,
  ACT_GELU_TANH,
  ACT_QUICK_GELU,
  ACT_SILU,
  ACT_RELU,
  ACT_SIGMOID,
  ACT_TANH
};

__device__ inline float sigmoid(float x) { return 1 / (1 + expf(-x)); }

__device__ inline float activate(int act, float x) {
  switch (act) {
    case ACT_GELU:
      return 0.5f * x * erfcf(-0.70710678118654752f * x);
    case ACT_GELU_TANH:
      return 0.5f * x * (1 + tanhf(0.79788456080286536f * (x + 0.044715f * x * x * x)));
    case ACT_QUICK_GELU:
      return x * sigmoid(1.702f * x);
    case ACT_SILU:
      return x * sigmoid(x);
    case ACT_RELU:
      return x < 0 ? 0 : x;  // what is no number stays none
    case ACT_SIGMOID:
      return sigmoid(x);
    case ACT_TANH:
      return tanhf(x);
  }
  return x;
}

// larger keeps what is no number, as max does not.
__device__ inline float larger(float a, float b) { return a > b || a != a ? a : b; }

// Reductions of a warp; every lane gets the result.
__device__ inline float warp_sum(float x) {
  for (int n = 16; n; n /= 2) x += __shfl_xor_sync(ALL_LANES, x, n);
  return x;
}
__device__ inline float warp_max(float x) {
  for (int n = 16; n; n /= 2) x = larger(x, __shfl_xor_sync(ALL_LANES, x, n));
  return x;
}

// Norm says how rows are normalised: kind as kernels.NormKind, -1 for not at
// all; gain (its offset added) and bias may be null.
struct Norm {
  const float *gain, *bias;
  int kind;
  float epsilon;
};
enum NormKind { NORM_NONE = -1, NORM_LAYER, NORM_RMS, NORM_L2 };

// normal is a number of a row whose moments are known.
__device__ inline float normal(const Norm& n, float x, float mean, float scale, int i) {
  if (n.kind == NORM_NONE) return x;
  x = (x - mean) * scale;
  if (n.gain) x *= n.gain[i];
  if (n.bias) x += n.bias[i];
  return x;
}

// moments gives a warp what to subtract from a row and then to multiply with.
__device__ inline void moments(const Norm& n, const float* x, int cols, float& mean, float& scale) {
  int lane = threadIdx.x % 32;
  mean = 0, scale = 1;
  if (n.kind == NORM_NONE) return;
  if (n.kind == NORM_LAYER) {
    float sum = 0;
    for (int i = lane; i < cols; i += 32) sum += x[i];
    mean = warp_sum(sum) / cols;
  }
  float squares = 0;
  for (int i = lane; i < cols; i += 32) squares += (x[i] - mean) * (x[i] - mean);
  squares = warp_sum(squares);
  scale = n.kind == NORM_L2 ? 1 / larger(sqrtf(squares), n.epsilon)
                            : 1 / sqrtf(squares / cols + n.epsilon);
}
