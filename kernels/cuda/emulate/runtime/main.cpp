// The emulator as a process: a request on standard input is an operation, the
// length of what follows, and that; the answer on standard output is 0 and a
// result, or 1 and an error. All numbers are little-endian. It ends with its input.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "runtime.h"

namespace {

enum Operation : uint32_t {
  Alloc = 1,
  Free,
  Upload,
  Download,
  Forget,
  Launch,
  Describe,
  Copy,
  CountReads
};

struct Reader {
  const char* at;
  size_t left;
  const char* take(size_t n) {
    if (n > left) {
      fprintf(stderr, "emulator: a request ends early\n");
      exit(1);
    }
    const char* p = at;
    at += n, left -= n;
    return p;
  }
  template <class T>
  T number() {
    T v;
    memcpy(&v, take(sizeof v), sizeof v);
    return v;
  }
};

void answer(uint32_t status, const void* data, size_t bytes) {
  uint32_t head[2] = {status, (uint32_t)bytes};
  fwrite(head, 1, sizeof head, stdout);
  fwrite(data, 1, bytes, stdout);
  fflush(stdout);
}

void answer_error(const std::string& text) { answer(1, text.data(), text.size()); }

// range reads an address and a length, null when they are not of one allocation.
char* range(Reader& r, size_t& bytes, bool rest) {
  char* p = (char*)r.number<uint64_t>();
  bytes = rest ? r.left : r.number<uint64_t>();
  return emulate::device_owns(p, bytes) ? p : nullptr;
}

void memory_operation(uint32_t op, Reader& r) {
  size_t bytes;
  char* p = range(r, bytes, op == Upload);
  if (!p) return answer_error("a copy beyond what was allocated");
  switch (op) {
    case Upload:
      memcpy(p, r.take(bytes), bytes);
      break;
    case Forget:
      emulate::mark_unwritten(p, bytes);
      return answer(0, "", 0);
    case Download:
      return answer(0, p, bytes);
    case CountReads: {
      emulate::Reads counted = emulate::count_reads(p, bytes);
      return answer(0, &counted, sizeof counted);
    }
    case Copy: {
      char* to = (char*)r.number<uint64_t>();
      if (!emulate::device_owns(to, bytes)) return answer_error("a copy beyond what was allocated");
      memcpy(to, p, bytes);
      p = to;
    }
  }
  emulate::mark_written(p, bytes);
  answer(0, "", 0);
}

void launch(Reader& r) {
  dim3_ grid;
  grid.x = r.number<uint32_t>(), grid.y = r.number<uint32_t>(), grid.z = r.number<uint32_t>();
  unsigned threads = r.number<uint32_t>(), shared = r.number<uint32_t>(),
           length = r.number<uint32_t>();
  std::string name(r.take(length), length);
  const emulate::Kernel* k = emulate::find_kernel(name);
  if (!k) return answer_error("no kernel " + name);
  if (r.left != k->params)
    return answer_error(name + ": " + std::to_string(r.left) +
                        " bytes of parameters, the kernel has " + std::to_string(k->params));
  alignas(16) char params[4096];
  memcpy(params, r.at, r.left);
  std::string error = emulate::launch(*k, grid, threads, shared, params);
  error.empty() ? answer(0, "", 0) : answer_error(error);
}

void serve(uint32_t op, Reader r) {
  switch (op) {
    case Alloc: {
      uint64_t p = (uint64_t)emulate::device_alloc(r.number<uint64_t>());
      return answer(0, &p, sizeof p);
    }
    case Free:
      if (!emulate::device_free((void*)r.number<uint64_t>()))
        return answer_error("memory that was not allocated is freed");
      return answer(0, "", 0);
    case Launch:
      return launch(r);
    case Describe: {
      const emulate::Kernel* k = emulate::find_kernel(std::string(r.at, r.left));
      uint32_t sizes[2] = {k ? (uint32_t)k->params : 0, k ? k->threads : 0};
      return answer(0, sizes, sizeof sizes);
    }
    default:
      memory_operation(op, r);
  }
}

}  // namespace

int main() {
  emulate::memory_init();
  std::vector<char> body;
  uint32_t head[2];
  while (fread(head, 1, sizeof head, stdin) == sizeof head) {
    body.resize(head[1]);
    if (fread(body.data(), 1, head[1], stdin) != head[1]) return 1;
    serve(head[0], Reader{body.data(), body.size()});
  }
}
