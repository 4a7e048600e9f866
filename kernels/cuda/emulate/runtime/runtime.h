// What the files of the emulator share.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "emulate.h"

namespace emulate {

// Access is one read or write of a kernel.
enum class Access { Read, Write, Atomic };

enum class Waits { No, Barrier, Warp };

struct AsyncCopy {
  char* to;
  const char* from;
  int bytes;
};

// Thread is a fiber.
struct Thread {
  int id = 0;
  void* stack_pointer = nullptr;
  void* fake_stack = nullptr;  // AddressSanitizer's
  char* stack = nullptr;
  Waits waits = Waits::No;
  void* where = nullptr;  // of what it waits for
  bool alive = false;
  std::vector<std::vector<AsyncCopy>> groups;  // committed, oldest first
  std::vector<AsyncCopy> open;
};

struct Warp {
  uint64_t words[2][32][8];  // of two meetings in turn
  uint32_t arrived = 0, mask = 0, meetings = 0;
  uint32_t epoch = 0;  // barriers of the warp
};

// Block is the one that runs.
struct Block {
  uint32_t serial = 0;           // unlike that of any other block that ever ran
  uint32_t first = 0;            // serial of the launch's first block
  uint32_t epoch = 0;            // barriers passed
  bool acquired = false;         // it has done an atomic operation
  std::vector<uint32_t> fences;  // of the launch's blocks, by serial - first
};

extern Thread* current;
extern Block block;
extern const Kernel* running;
Warp& warp_of(int thread);

// fail ends the launch with an error that says where it happened.
[[noreturn]] void fail(void* where, const char* format, ...) __attribute__((format(printf, 2, 3)));

// launch runs a kernel; what is wrong, or nothing.
std::string launch(const Kernel& k, dim3_ grid, unsigned threads, unsigned shared,
                   const void* params);
const Kernel* find_kernel(const std::string& name);

// Memory of the device; see memory.cpp.
void memory_init();
void* device_alloc(size_t bytes);  // null when there is no more
bool device_free(void* p);
bool device_owns(const void* p, size_t bytes);
void mark_written(void* p, size_t bytes);
void mark_unwritten(void* p, size_t bytes);
// Reads are how often kernels have read the bytes of a range since they were written
// by the host or counted: in all, and the byte that was read least and most often.
// Lanes of one warp that read a byte between two barriers count once, where no other
// warp does and more than one of them.
struct Reads {
  uint64_t all;
  uint32_t least, most;
};
Reads count_reads(void* p, size_t bytes);
void check(const void* at, size_t bytes, Access access, void* where);
void* shared_alloc(size_t bytes);
void shared_reset();
void complete(const AsyncCopy& copy);

}  // namespace emulate
