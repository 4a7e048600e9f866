// Kernels for x86-64 with AVX-512 and VNNI.
#if defined(__x86_64__)
#pragma GCC target( \
    "avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,prefer-vector-width=512")
#define VW 16
#define OPS kc_ops_avx512
#include "level.inc.h"
#endif
