// Kernels for x86-64 with AVX2, FMA and F16C.
#if defined(__x86_64__)
#pragma GCC target("avx2,fma,f16c")
#define VW 8
#define OPS kc_ops_avx2
#include "level.inc.h"
#endif
