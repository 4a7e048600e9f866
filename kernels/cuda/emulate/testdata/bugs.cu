// Kernels with one mistake each, of kinds that a GPU often hides, and beside each
// the same kernel without it. The tests of package emulate launch them.
#include "device.h"

struct Bug {
  float *x, *y;
  unsigned* counter;
  int n, unused;
};

// Without the barrier a thread reads what its neighbour may not have written.
template <bool RIGHT>
__device__ inline void race(const Bug& p) {
  SHARED(float, s, 64);
  s[threadIdx.x] = p.x[threadIdx.x];
  if (RIGHT) __syncthreads();
  p.y[threadIdx.x] = s[threadIdx.x / 2];
}
KERNEL(race_bug, Bug, 64, 1) { race<false>(p); }
KERNEL(race_right, Bug, 64, 1) { race<true>(p); }

// Without the second barrier the array is overwritten while others read it.
template <bool RIGHT>
__device__ inline void overwrite(const Bug& p) {
  SHARED(float, s, 64);
  for (int i = 0; i < 2; i++) {
    s[threadIdx.x] = p.x[threadIdx.x] + i;
    __syncthreads();
    p.y[threadIdx.x] = s[63 - threadIdx.x];
    if (RIGHT) __syncthreads();
  }
}
KERNEL(overwrite_bug, Bug, 64, 1) { overwrite<false>(p); }
KERNEL(overwrite_right, Bug, 64, 1) { overwrite<true>(p); }

// A thread overwrites what its neighbour has read, with no barrier before.
template <bool RIGHT>
__device__ inline void reuse(const Bug& p) {
  SHARED(float, s, 64);
  s[threadIdx.x] = p.x[threadIdx.x];
  __syncthreads();
  p.y[threadIdx.x] = s[(threadIdx.x + 1) % 64];
  if (RIGHT) __syncthreads();
  s[threadIdx.x] = 0;
}
KERNEL(reuse_bug, Bug, 64, 1) { reuse<false>(p); }
KERNEL(reuse_right, Bug, 64, 1) { reuse<true>(p); }

// A meeting of a warp does not order memory: lanes need __syncwarp.
template <bool RIGHT>
__device__ inline void warp_race(const Bug& p) {
  SHARED(float, s, 32);
  s[threadIdx.x] = p.x[threadIdx.x];
  if (RIGHT) __syncwarp();
  p.y[threadIdx.x] = s[threadIdx.x / 2] + __shfl_xor_sync(ALL_LANES, p.x[threadIdx.x], 1);
}
KERNEL(warp_race_bug, Bug, 32, 1) { warp_race<false>(p); }
KERNEL(warp_race_right, Bug, 32, 1) { warp_race<true>(p); }

// Two lanes of one warp read what a lane of the other overwrites; that this one has met
// the lanes of its own warp in between orders nothing.
template <bool RIGHT>
__device__ inline void other_warp(const Bug& p) {
  SHARED(float, s, 64);
  s[threadIdx.x] = p.x[threadIdx.x];
  __syncthreads();
  if (threadIdx.x >= 32 && threadIdx.x < 34) p.y[threadIdx.x] = s[0];
  if (threadIdx.x < 32) __syncwarp();
  if (RIGHT) __syncthreads();
  if (threadIdx.x == 0) s[0] = 1;
}
KERNEL(other_warp_bug, Bug, 64, 1) { other_warp<false>(p); }
KERNEL(other_warp_right, Bug, 64, 1) { other_warp<true>(p); }

// Lanes read what one of them overwrites after they have met.
template <bool RIGHT>
__device__ inline void same_warp(const Bug& p) {
  SHARED(float, s, 32);
  s[threadIdx.x] = p.x[threadIdx.x];
  __syncwarp();
  p.y[threadIdx.x] = s[0];
  if (RIGHT) __syncwarp();
  if (threadIdx.x == 0) s[0] = 1;
}
KERNEL(same_warp_bug, Bug, 32, 1) { same_warp<false>(p); }
KERNEL(same_warp_right, Bug, 32, 1) { same_warp<true>(p); }

// The last number of the array is never written.
template <bool RIGHT>
__device__ inline void unwritten(const Bug& p) {
  SHARED(float, s, 65);
  s[threadIdx.x] = p.x[threadIdx.x];
  if (RIGHT && threadIdx.x == 0) s[64] = 0;
  __syncthreads();
  p.y[threadIdx.x] = s[threadIdx.x + 1];
}
KERNEL(unwritten_bug, Bug, 64, 1) { unwritten<false>(p); }
KERNEL(unwritten_right, Bug, 64, 1) { unwritten<true>(p); }

// y is read although nothing has ever been put there.
KERNEL(unwritten_global_bug, Bug, 64, 1) { p.x[threadIdx.x] = p.y[threadIdx.x]; }
KERNEL(unwritten_global_right, Bug, 64, 1) {
  p.y[threadIdx.x] = 1;
  p.x[threadIdx.x] = p.y[threadIdx.x];
}

// One thread goes a number too far.
KERNEL(bounds_bug, Bug, 64, 1) { p.y[threadIdx.x] = p.x[threadIdx.x + 1]; }
KERNEL(bounds_right, Bug, 64, 1) { p.y[threadIdx.x] = p.x[threadIdx.x]; }
KERNEL(bounds_write_bug, Bug, 64, 1) { p.y[p.n * threadIdx.x] = p.x[threadIdx.x]; }
KERNEL(bounds_write_right, Bug, 64, 1) { p.y[threadIdx.x] = p.x[threadIdx.x]; }

// An index beyond an array that lies in registers or local memory.
KERNEL(local_bug, Bug, 64, 1) {
  float a[4];
  for (int i = 0; i < 4 + p.n; i++) a[i] = p.x[i];
  float sum = 0;
  for (int i = 0; i < 4; i++) sum += a[(threadIdx.x + i) % 4];
  p.y[threadIdx.x] = sum;
}
KERNEL(local_right, Bug, 64, 1) {
  float a[4];
  for (int i = 0; i < 4; i++) a[i] = p.x[i];
  float sum = 0;
  for (int i = 0; i < 4; i++) sum += a[(threadIdx.x + i) % 4];
  p.y[threadIdx.x] = sum;
}

// A vector of four floats from an address that is no multiple of 16.
KERNEL(aligned_bug, Bug, 32, 1) {
  float4 v = *(const float4*)(p.x + threadIdx.x);
  p.y[threadIdx.x] = v.x + v.w;
}
KERNEL(aligned_right, Bug, 32, 1) {
  float4 v = *(const float4*)(p.x + threadIdx.x % 16 * 4);
  p.y[threadIdx.x] = v.x + v.w;
}

// Threads that have nothing to do leave before a barrier that the others reach.
template <bool RIGHT>
__device__ inline void early(const Bug& p) {
  SHARED(float, s, 64);
  bool busy = threadIdx.x < 40;
  if (!busy && !RIGHT) return;
  if (busy) s[threadIdx.x] = p.x[threadIdx.x];
  __syncthreads();
  if (busy) p.y[threadIdx.x] = s[39 - threadIdx.x];
}
KERNEL(barrier_bug, Bug, 64, 1) { early<false>(p); }
KERNEL(barrier_right, Bug, 64, 1) { early<true>(p); }

// A shuffle of all lanes that half of them do not reach.
KERNEL(shuffle_bug, Bug, 32, 1) {
  float v = p.x[threadIdx.x];
  if (threadIdx.x < 16) v += __shfl_xor_sync(ALL_LANES, v, 1);
  p.y[threadIdx.x] = v;
}
KERNEL(shuffle_right, Bug, 32, 1) {
  float v = p.x[threadIdx.x];
  if (threadIdx.x < 16) v += __shfl_xor_sync(0x0000ffffu, v, 1);
  p.y[threadIdx.x] = v;
}

// The copy has been started, but nobody has waited for it.
template <bool WAIT, bool BARRIER>
__device__ inline void copy(const Bug& p) {
  SHARED(float, s, 128);
  copy_async16(s + threadIdx.x * 4, p.x + threadIdx.x % 16 * 4, 16);
  copy_async_commit();
  if (WAIT) copy_async_wait<0>();
  if (BARRIER) __syncthreads();
  p.y[threadIdx.x] = s[threadIdx.x];
}
KERNEL(copy_bug, Bug, 32, 1) { copy<false, true>(p); }
KERNEL(copy_right, Bug, 32, 1) { copy<true, true>(p); }
KERNEL(copy_barrier_bug, Bug, 32, 1) { copy<true, false>(p); }
KERNEL(copy_barrier_right, Bug, 32, 1) { copy<true, true>(p); }

// Waiting for all but the newest group does not bring the newest.
template <int LEFT>
__device__ inline void stage(const Bug& p) {
  SHARED(float, s, 256);
  for (int i = 0; i < 2; i++) {
    copy_async16(s + i * 128 + threadIdx.x * 4, p.x + threadIdx.x % 16 * 4, 16);
    copy_async_commit();
  }
  copy_async_wait<LEFT>();
  __syncthreads();
  p.y[threadIdx.x] = s[128 + threadIdx.x];
}
KERNEL(stage_bug, Bug, 32, 1) { stage<1>(p); }
KERNEL(stage_right, Bug, 32, 1) { stage<0>(p); }

// Two blocks write one number.
KERNEL(blocks_bug, Bug, 32, 1) { p.y[threadIdx.x] = blockIdx.x; }
KERNEL(blocks_right, Bug, 32, 1) { p.y[blockIdx.x * 32 + threadIdx.x] = blockIdx.x; }

// The last block adds what the others left, without the fence that makes it visible.
template <bool RIGHT>
__device__ inline void last_block(const Bug& p) {
  SHARED(int, last, 1);
  p.y[blockIdx.x * 32 + threadIdx.x] = p.x[threadIdx.x];
  if (RIGHT) __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) *last = atomicAdd(p.counter, 1u) == gridDim.x - 1;
  __syncthreads();
  if (!*last) return;
  float sum = 0;
  for (unsigned i = 0; i < gridDim.x; i++) sum += p.y[i * 32 + threadIdx.x];
  p.x[threadIdx.x] = sum;
}
KERNEL(fence_bug, Bug, 32, 1) { last_block<false>(p); }
KERNEL(fence_right, Bug, 32, 1) { last_block<true>(p); }

// The first 32 numbers are read by two lanes of a warp each, then all by one thread each.
KERNEL(reads_right, Bug, 64, 1) {
  float v = p.x[threadIdx.x / 2];
  __syncthreads();
  p.y[threadIdx.x] = v + p.x[threadIdx.x];
}

// What lanes get from a shuffle and a vote, and a product of a warp, is right.
KERNEL(meetings_right, Bug, 32, 1) {
  float v = p.x[threadIdx.x];
  unsigned odd = __ballot_sync(ALL_LANES, threadIdx.x % 2);
  p.y[threadIdx.x] = __shfl_sync(ALL_LANES, v, 5) + (odd == 0xaaaaaaaau ? 100 : 0);
}

// Lane 4g+t of the fragments of the PTX manual: A is rows of numbers 0.., B is the
// identity in the first eight of k, so that D is the first eight columns of A.
KERNEL(fragments_right, Bug, 32, 1) {
  int g = threadIdx.x / 4, t = threadIdx.x % 4;
  uint32_t a[4], b[2];
  for (int i = 0; i < 4; i++) {
    int row = g + i % 2 * 8, k = 2 * t + i / 2 * 8;
    a[i] = pair(to_f16(row * 16 + k), to_f16(row * 16 + k + 1));
  }
  for (int i = 0; i < 2; i++)
    b[i] = pair(to_f16(2 * t + i * 8 == g), to_f16(2 * t + 1 + i * 8 == g));
  float d[4] = {0, 0, 0, 0};
  mma_f16(d, a, b);
  for (int e = 0; e < 4; e++) p.y[(g + e / 2 * 8) * 8 + 2 * t + e % 2] = d[e];
}
