// The emulator without sanitizers, as a library that a Go program can load: what it
// calls of AddressSanitizer does nothing.
#include <cstddef>
#include <cstdio>

extern "C" {
void __sanitizer_start_switch_fiber(void**, const void*, size_t) {}
void __sanitizer_finish_switch_fiber(void*, const void**, size_t*) {}
void __asan_unpoison_memory_region(const volatile void*, size_t) {}
void __sanitizer_symbolize_pc(void* pc, const char*, char* out, size_t size) {
  snprintf(out, size, "%p", pc);
}
}
