// Kernels for arm64 with dot products of bytes and arithmetic in f16 (Armv8.2).
#if defined(__aarch64__)
#pragma GCC target("arch=armv8.2-a+dotprod+fp16")
#define VW 4
#define HAVE_DOTPROD
#define OPS kc_ops_dotprod
#include "level.inc.h"
#endif
