// Memory of the device with, for every byte, who touched it last. The compiler
// calls __asan_loadN and __asan_storeN for each access of a kernel: those to this
// memory are checked here, all others go on to AddressSanitizer.
//
// Two accesses to a byte race, unless both read or both are atomic, when nothing
// orders them: a barrier of the block between them, __syncwarp between lanes of
// a warp, or, between blocks, a fence after the write and an atomic operation
// before the read.
#include <dlfcn.h>
#include <sanitizer/common_interface_defs.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "runtime.h"

namespace emulate {
namespace {

enum State : uint8_t { Nowhere, Unwritten, Written };

// A reader is a thread, several of one warp (of_warp and its number), or many.
constexpr uint16_t of_warp = 0x8000;
constexpr uint16_t many = 0xffff;

// Cell is the history of a byte. Serials are of blocks, epochs of their barriers.
struct Cell {
  uint8_t state;
  bool atomic : 1;        // the last write
  bool read_by_many : 1;  // blocks of the launch
  uint8_t fence;          // of the writer's block when it wrote
  uint8_t reads;          // see count_reads
  uint32_t writer_block, reader_block;
  uint16_t writer, reader;  // threads
  uint32_t write_epoch, write_warp;
  uint32_t read_epoch, read_warp;
};

constexpr size_t arena_bytes = 2ull << 30, shared_bytes = 4 << 20, gap = 256;
char* arena;
Cell* cells;
size_t used = shared_bytes, shared_used;
std::map<size_t, std::vector<char*>> spare;  // freed, by size
std::map<char*, size_t> sizes;

bool is_shared(const void* p) { return (const char*)p < arena + shared_bytes; }

size_t rounded(size_t bytes) { return (bytes + 255) / 256 * 256; }

// of_my_warp says whether all of a reader, or a writer, are of the warp that now runs.
bool of_my_warp(uint16_t who) {
  if (who == many) return false;
  return (who & of_warp ? who & ~of_warp : who / 32) == current->id / 32;
}

// ordered says whether an access comes before what now runs.
bool ordered(uint16_t who, uint32_t epoch, uint32_t warp) {
  if (epoch != block.epoch || who == current->id) return true;
  return of_my_warp(who) && warp != warp_of(current->id).epoch;
}

const char* memory_of(const void* at) { return is_shared(at) ? "shared memory" : "global memory"; }

// between_blocks checks an access to what other blocks of the launch touched.
void between_blocks(const Cell& c, bool write, const void* at, void* where) {
  bool of_launch = c.writer_block >= block.first && c.state == Written;
  if (of_launch && c.writer_block != block.serial && !(c.atomic && !write)) {
    bool released = block.fences[c.writer_block - block.first] > c.fence;
    if (!released || !block.acquired)
      fail(where, "a race: block %u wrote this %s in the same launch", c.writer_block - block.first,
           memory_of(at));
  }
  if (write && c.reader_block >= block.first &&
      (c.reader_block != block.serial || c.read_by_many) && !block.acquired)
    fail(where, "a race: another block of the launch read this %s", memory_of(at));
}

void record_read(Cell& c) {
  // Lanes of a warp that read a byte together get it by one access of the memory.
  bool together = c.reader_block == block.serial && c.read_epoch == block.epoch &&
                  c.reader != current->id && of_my_warp(c.reader);
  if (!together && c.reads < 255) c.reads++;
  if (c.reader_block != block.serial) {
    c.read_by_many = c.reader_block >= block.first;
    c.reader_block = block.serial;
    c.read_epoch = block.epoch + 1;  // none of this block yet
  }
  uint32_t warp = warp_of(current->id).epoch;
  if (c.read_epoch != block.epoch) {
    c.reader = current->id;
  } else if (c.reader != current->id) {
    c.reader = of_my_warp(c.reader) ? of_warp | current->id / 32 : many;
  }
  c.read_epoch = block.epoch;
  c.read_warp = warp;
}

void record_write(Cell& c, bool atomic) {
  c.state = Written;
  c.atomic = atomic;
  c.writer_block = block.serial;
  c.writer = current->id;
  c.write_epoch = block.epoch;
  c.write_warp = warp_of(current->id).epoch;
  c.fence = block.fences.back() > 254 ? 254 : block.fences.back();
}

void check_byte(Cell& c, const void* at, Access access, void* where) {
  bool mine = c.writer_block == block.serial && c.state == Written;
  if (access != Access::Write && (is_shared(at) ? !mine : c.state != Written))
    fail(where,
         "a read of %s that nothing has written (or whose asynchronous copy has not been waited "
         "for)",
         memory_of(at));
  if (access == Access::Atomic) {
    if (mine && !c.atomic && !ordered(c.writer, c.write_epoch, c.write_warp))
      fail(where, "a race: thread %d writes this %s without a barrier", c.writer, memory_of(at));
    return record_write(c, true);
  }
  if (mine && !ordered(c.writer, c.write_epoch, c.write_warp))
    fail(where, "a race: thread %d wrote this %s and no barrier lies between", c.writer,
         memory_of(at));
  bool write = access == Access::Write;
  if (write && c.reader_block == block.serial && !ordered(c.reader, c.read_epoch, c.read_warp))
    fail(where, "a race: another thread read this %s and no barrier lies between", memory_of(at));
  if (!is_shared(at)) between_blocks(c, write, at, where);
  write ? record_write(c, false) : record_read(c);
}

}  // namespace

void memory_init() {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  arena = (char*)mmap(nullptr, arena_bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
  cells = (Cell*)mmap(nullptr, arena_bytes * sizeof(Cell), PROT_READ | PROT_WRITE, flags, -1, 0);
  if (arena == MAP_FAILED || cells == MAP_FAILED) {
    perror("emulator: no address space");
    exit(1);
  }
}

void* device_alloc(size_t bytes) {
  size_t size = rounded(bytes ? bytes : 1);
  char* p;
  if (!spare[size].empty()) {
    p = spare[size].back();
    spare[size].pop_back();
  } else {
    if (used + size + gap > arena_bytes) return nullptr;
    p = arena + used;
    used += size + gap;
  }
  sizes[p] = bytes;
  mark_unwritten(p, bytes);
  return p;
}

bool device_free(void* p) {
  auto it = sizes.find((char*)p);
  if (it == sizes.end()) return false;
  memset(cells + (it->first - arena), 0, it->second * sizeof(Cell));
  spare[rounded(it->second ? it->second : 1)].push_back(it->first);
  sizes.erase(it);
  return true;
}

bool device_owns(const void* p, size_t bytes) {
  auto it = sizes.upper_bound((char*)p);
  if (it == sizes.begin()) return false;
  --it;
  return (char*)p + bytes <= it->first + it->second;
}

void mark_written(void* p, size_t bytes) {
  Cell* c = cells + ((char*)p - arena);
  for (size_t i = 0; i < bytes; i++) c[i] = Cell{}, c[i].state = Written;
}

void mark_unwritten(void* p, size_t bytes) {
  Cell* c = cells + ((char*)p - arena);
  for (size_t i = 0; i < bytes; i++) c[i].state = Unwritten;
}

Reads count_reads(void* p, size_t bytes) {
  Cell* c = cells + ((char*)p - arena);
  Reads out = {0, 255, 0};
  for (size_t i = 0; i < bytes; i++) {
    out.all += c[i].reads;
    out.least = std::min(out.least, (uint32_t)c[i].reads);
    out.most = std::max(out.most, (uint32_t)c[i].reads);
    c[i].reads = 0;
  }
  return out;
}

void shared_reset() {
  if (shared_used) memset(cells, 0, shared_used * sizeof(Cell));
  shared_used = 0;
}

void* shared_alloc(size_t bytes) {
  size_t at = (shared_used + 15) / 16 * 16;
  if (at + bytes + gap > shared_bytes)
    fail(__builtin_return_address(0), "%zu bytes of shared memory", at + bytes);
  shared_used = at + bytes + gap;
  char* p = arena + at;
  for (size_t i = 0; i < bytes; i++) cells[at + i].state = Unwritten;
  return p;
}

void check(const void* at, size_t bytes, Access access, void* where) {
  if (!running || current == nullptr || current->stack == nullptr) return;
  if (bytes <= 16 && (bytes & (bytes - 1)) == 0 && (uintptr_t)at % bytes)
    fail(where, "a misaligned access: %zu bytes at an address that is %zu over a multiple", bytes,
         (size_t)((uintptr_t)at % bytes));
  Cell* c = cells + ((const char*)at - arena);
  for (size_t i = 0; i < bytes; i++) {
    if (c[i].state == Nowhere) fail(where, "an access out of bounds of %s", memory_of(at));
    check_byte(c[i], (const char*)at + i, access, where);
  }
}

void complete(const AsyncCopy& copy) {
  memcpy(copy.to, copy.from, copy.bytes);
  memset(copy.to + copy.bytes, 0, 16 - copy.bytes);
  for (int i = 0; i < 16; i++) record_write(cells[copy.to - arena + i], false);
}

void atomic(void* at, int bytes, void* where) {
  check(at, bytes, Access::Atomic, where);
  block.acquired = true;
}

namespace {

bool of_device(const void* p) {
  return (const char*)p >= arena && (const char*)p < arena + arena_bytes;
}

using Check = void (*)(const void*);
using CheckN = void (*)(const void*, size_t);

template <class F>
F next_symbol(const char* name) {
  F f = (F)dlsym(RTLD_NEXT, name);
  if (!f) {
    fprintf(stderr, "emulator: AddressSanitizer has no %s\n", name);
    abort();
  }
  return f;
}

}  // namespace
}  // namespace emulate

#define HOOK(name, bytes, access)                                                    \
  extern "C" void name(const void* at) {                                             \
    static emulate::Check sanitizer = emulate::next_symbol<emulate::Check>(#name);   \
    if (!emulate::of_device(at)) return sanitizer(at);                               \
    emulate::check(at, bytes, emulate::Access::access, __builtin_return_address(0)); \
  }
#define HOOKS(bytes)                    \
  HOOK(__asan_load##bytes, bytes, Read) \
  HOOK(__asan_store##bytes, bytes, Write)
HOOKS(1)
HOOKS(2)
HOOKS(4)
HOOKS(8)
HOOKS(16)

#define HOOK_N(name, access)                                                         \
  extern "C" void name(const void* at, size_t bytes) {                               \
    static emulate::CheckN sanitizer = emulate::next_symbol<emulate::CheckN>(#name); \
    if (!emulate::of_device(at)) return sanitizer(at, bytes);                        \
    emulate::check(at, bytes, emulate::Access::access, __builtin_return_address(0)); \
  }
HOOK_N(__asan_loadN, Read)
HOOK_N(__asan_storeN, Write)

// UndefinedBehaviorSanitizer calls this before a misaligned access of a vector.
struct TypeMismatch {
  const char* file;
  uint32_t line, column;
  const void* type;
  uint8_t log_alignment, kind;
};
extern "C" void __ubsan_handle_type_mismatch_v1_abort(TypeMismatch* data, const void* at) {
  void* where = __builtin_return_address(0);
  if (emulate::current && emulate::current->stack && emulate::running)
    emulate::fail(
        where,
        at ? "a misaligned access: the type wants %d bytes" : "a null pointer (alignment %d)",
        1 << data->log_alignment);
  fprintf(stderr, "%s:%u: misaligned access\n", data->file, data->line);
  abort();
}
