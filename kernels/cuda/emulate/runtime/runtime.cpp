// Blocks, one after the other; their threads as fibers; and where threads meet.
// A fiber runs until it has to wait for others, then the next one that can runs.
// When none can, and some have not returned, a barrier or a meeting of a warp was
// not reached by all: that is reported with what each thread waits for.
#include "runtime.h"

#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sys/mman.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>

#ifndef __x86_64__
#include <ucontext.h>
#endif

namespace emulate {

dim3_ grid_size, block_size, block_index;
Thread* current;
Block block;
const Kernel* running;

namespace {

constexpr size_t stack_bytes = 256 << 10;
constexpr int most_threads = 1024;

Kernel* kernels;
Thread threads[most_threads];
Warp warps[most_threads / 32];
std::deque<Thread*> ready;
Thread host;  // the stack of the process
int alive, at_barrier;
const void* parameters;
unsigned dynamic_bytes;
std::string failure;
std::map<const void*, void*> arrays;  // the SHARED arrays of this block
void* dynamic_array;

// swap leaves one stack for another.
#ifdef __x86_64__
extern "C" void kuai_swap(void** from, void* to);
asm(R"(
.text
.globl kuai_swap
kuai_swap:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
)");
void swap(Thread& from, Thread& to) { kuai_swap(&from.stack_pointer, to.stack_pointer); }
void begin(Thread& t, void (*entry)()) {
  void** top = (void**)(t.stack + stack_bytes);
  *--top = nullptr;  // aligns the stack as after a call
  *--top = (void*)entry;
  t.stack_pointer = top - 6;
}
#else
ucontext_t* context(Thread& t) {
  if (!t.stack_pointer) t.stack_pointer = new ucontext_t;
  return (ucontext_t*)t.stack_pointer;
}
void swap(Thread& from, Thread& to) { swapcontext(context(from), context(to)); }
void begin(Thread& t, void (*entry)()) {
  ucontext_t* c = context(t);
  getcontext(c);
  c->uc_stack.ss_sp = t.stack;
  c->uc_stack.ss_size = stack_bytes;
  makecontext(c, entry, 0);
}
#endif

// leave goes on with another fiber; last says that this one will not run again.
void leave(Thread& to, bool last) {
  Thread& from = *current;
  current = &to;
  __sanitizer_start_switch_fiber(last ? nullptr : &from.fake_stack, to.stack,
                                 &to == &host ? 0 : stack_bytes);
  swap(from, to);
  __sanitizer_finish_switch_fiber(from.fake_stack, nullptr, nullptr);
}

std::string place(void* where) {
  char text[512] = "?";
  __sanitizer_symbolize_pc(where, "%s:%l", text, sizeof text);
  const char* name = text;
  for (const char* p = text; *p; p++)
    if (*p == '/') name = p + 1;
  return name;
}

// stuck describes who waits where.
std::string stuck() {
  std::map<std::string, int> waiting;
  bool barrier = false;
  for (unsigned i = 0; i < block_size.x; i++) {
    Thread& t = threads[i];
    if (!t.alive) continue;
    barrier |= t.waits == Waits::Barrier;
    waiting[(t.waits == Waits::Barrier ? "the barrier at " : "a meeting of its warp at ") +
            place(t.where)]++;
  }
  std::string text = barrier ? "a barrier that not all threads reach:"
                             : "a meeting of a warp that not all lanes reach:";
  for (auto& w : waiting) text += " " + std::to_string(w.second) + " wait at " + w.first + ",";
  return text + " " + std::to_string(block_size.x - alive) + " have returned";
}

void next(bool last) {
  if (ready.empty()) {
    if (alive)
      failure =
          std::string(running->name) + ": block " + std::to_string(block_index.x) + ": " + stuck();
    leave(host, last);
    return;
  }
  Thread* t = ready.front();
  ready.pop_front();
  t->waits = Waits::No;
  if (t != current) leave(*t, last);
}

void wait(Waits what, void* where) {
  current->waits = what;
  current->where = where;
  next(false);
}

void entry() {
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
  running->body(parameters);
  current->alive = false;
  alive--;
  next(true);
}

void run_block() {
  arrays.clear();
  shared_reset();
  dynamic_array = dynamic_bytes ? shared_alloc(dynamic_bytes) : nullptr;
  block.epoch = 0;
  block.acquired = false;
  at_barrier = 0;
  alive = block_size.x;
  ready.clear();
  for (unsigned i = 0; i < block_size.x; i++) {
    Thread& t = threads[i];
    if (!t.stack) {
      t.stack = (char*)mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (t.stack == MAP_FAILED) abort();
    }
    __asan_unpoison_memory_region(t.stack, stack_bytes);
    t.id = i;
    t.alive = true;
    t.waits = Waits::No;
    t.groups.clear();
    t.open.clear();
    begin(t, entry);
    ready.push_back(&t);
  }
  for (unsigned i = 0; i < (block_size.x + 31) / 32; i++)
    warps[i].arrived = warps[i].mask = warps[i].meetings = warps[i].epoch = 0;
  current = &host;
  next(false);
}

}  // namespace

Kernel::Kernel(const char* name, Body body, size_t params, unsigned threads)
    : name(name), body(body), params(params), threads(threads), next(kernels) {
  kernels = this;
}

const Kernel* find_kernel(const std::string& name) {
  for (Kernel* k = kernels; k; k = k->next)
    if (name == k->name) return k;
  return nullptr;
}

Warp& warp_of(int thread) { return warps[thread / 32]; }

void fail(void* where, const char* format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  char who[128];
  snprintf(who, sizeof who, ": block %u,%u,%u thread %d: ", block_index.x, block_index.y,
           block_index.z, current->id);
  failure = running->name + std::string(who) + text + " (" + place(where) + ")";
  leave(host, true);  // what the other fibers were doing is forgotten
  abort();
}

std::string launch(const Kernel& k, dim3_ grid, unsigned count, unsigned shared,
                   const void* params) {
  if (count == 0 || count > k.threads || count > most_threads || count % 32)
    return std::string(k.name) + ": a block of " + std::to_string(count) +
           " threads, want a multiple of 32 up to " + std::to_string(k.threads);
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.y > 65535 || grid.z > 65535)
    return std::string(k.name) + ": an empty or too large grid";
  running = &k;
  parameters = params;
  dynamic_bytes = shared;
  grid_size = grid;
  block_size = {count, 1, 1};
  failure.clear();
  block.first = block.serial + 1;
  block.fences.clear();
  for (unsigned z = 0; z < grid.z; z++)
    for (unsigned y = 0; y < grid.y; y++)
      for (unsigned x = 0; x < grid.x; x++) {
        block_index = {x, y, z};
        block.serial++;
        block.fences.push_back(0);
        run_block();
        if (!failure.empty()) return failure;
      }
  return "";
}

dim3_ thread_index() { return {(unsigned)current->id, 0, 0}; }
int lane() { return current->id % 32; }

void* static_shared(const void* key, size_t bytes) {
  void*& at = arrays[key];
  if (!at) at = shared_alloc(bytes);
  return at;
}
void* dynamic_shared() { return dynamic_array; }

void barrier(void* where) {
  if (++at_barrier < alive || alive < (int)block_size.x) {
    wait(Waits::Barrier, where);
    return;
  }
  at_barrier = 0;
  block.epoch++;
  for (unsigned i = 0; i < block_size.x; i++)
    if (&threads[i] != current) ready.push_back(&threads[i]);
}

const uint64_t (*gather(uint32_t mask, const uint64_t* words, int count, void* where))[8] {
  Warp& w = warp_of(current->id);
  int lane = current->id % 32;
  if (!(mask >> lane & 1)) fail(where, "lane %d is not in its own mask %08x", lane, mask);
  if (w.arrived && w.mask != mask)
    fail(where, "lanes of a warp meet with the masks %08x and %08x", w.mask, mask);
  w.mask = mask;
  w.arrived |= 1u << lane;
  auto all = w.words[w.meetings & 1];
  for (int i = 0; i < count; i++) all[lane][i] = words[i];
  if (w.arrived != mask) {
    wait(Waits::Warp, where);
    return all;
  }
  w.arrived = 0;
  w.meetings++;
  for (int i = 0; i < 32; i++)
    if (mask >> i & 1 && i != lane) ready.push_back(&threads[current->id - lane + i]);
  return all;
}

void warp_barrier(uint32_t mask, void* where) {
  uint64_t none = 0;
  Warp& w = warp_of(current->id);
  uint32_t before = w.epoch;
  gather(mask, &none, 1, where);
  if (w.epoch == before) w.epoch++;  // by the first that goes on
}

void fence() { block.fences.back()++; }

void async_copy(void* to, const void* from, int bytes, void* where) {
  if (bytes < 0 || bytes > 16) fail(where, "an asynchronous copy of %d bytes", bytes);
  if ((uintptr_t)to % 16 || (uintptr_t)from % 16)
    fail(where, "an asynchronous copy that is not aligned to 16 bytes");
  if (bytes) check(from, bytes, Access::Read, where);
  check(to, 16, Access::Write, where);
  mark_unwritten(to, 16);
  current->open.push_back({(char*)to, (const char*)from, bytes});
}

void async_commit() {
  current->groups.push_back(std::move(current->open));
  current->open.clear();
}

void async_wait(int under_way) {
  auto& groups = current->groups;
  while ((int)groups.size() > under_way) {
    for (auto& c : groups.front()) complete(c);
    groups.erase(groups.begin());
  }
}

}  // namespace emulate

uint32_t __ballot_sync(uint32_t mask, int predicate) {
  uint64_t word = predicate != 0;
  auto all = emulate::gather(mask, &word, 1, __builtin_return_address(0));
  uint32_t out = 0;
  for (int i = 0; i < 32; i++)
    if (mask >> i & 1) out |= (uint32_t)all[i][0] << i;
  return out;
}
