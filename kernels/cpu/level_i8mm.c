// Kernels for arm64 with dot products of mixed signs and of bf16 (Armv8.6).
#if defined(__aarch64__)
#pragma GCC target("arch=armv8.2-a+dotprod+fp16+i8mm+bf16")
#define VW 4
#define HAVE_DOTPROD
#define HAVE_I8MM
#define HAVE_BF16
#define OPS kc_ops_i8mm
#include "level.inc.h"
#endif
