// Kernels for any processor: vectors of four floats (SSE2, NEON).
#define VW 4
#define OPS kc_ops_base
#include "level.inc.h"
