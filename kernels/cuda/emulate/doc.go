// Package emulate runs the CUDA kernels without a GPU, for tests: the very .cu
// files, compiled as C++ under AddressSanitizer and UndefinedBehaviorSanitizer
// against runtime/emulate.h, in a process of its own that New starts.
//
// A block's threads are fibers; blocks run one after the other. Every access to
// device or shared memory is checked, so that a launch fails with the kernel, the
// block, the thread and the line
//
//   - when two threads, or two blocks, touch the same byte, one of them writing,
//     and no barrier (fence and atomic operation) orders them;
//   - when it reads what was never written, or what an asynchronous copy brings
//     that has not been waited for;
//   - when it goes beyond an allocation or is not aligned to its size;
//   - when a barrier, a shuffle or a product of a warp is not reached by all.
//
// What it cannot say: how fast a kernel is, and whether the real tensor core rounds
// its sums as the emulated one (which adds in f32, one by one).
//
// The process is built by the first use, with g++, and kept in the user's cache
// under the hash of all sources.
package emulate
