// What a processor can do at most, measured by loops that do nothing else.
#ifndef KUAI_KERNELS_KERNELBENCH_PEAK_H
#define KUAI_KERNELS_KERNELBENCH_PEAK_H

#include <stdint.h>

enum { KB_F32, KB_BF16, KB_I8, KB_KINDS };

// kb_multiply runs rounds of independent multiply-adds in registers with the
// widest instruction that the processor has for a kind, and gives the
// operations done, two for each multiplication; 0 where there is no
// instruction for the kind. Its sum goes to sink, so that it is computed.
int64_t kb_multiply(int32_t kind, int64_t rounds, float *sink);

// kb_read sums bytes, a multiple of 64 that are aligned to 64.
uint64_t kb_read(const uint64_t *from, int64_t bytes);

// kb_memory gives memory in large pages where the system has them, written once,
// for the caller to free; NULL without any left.
void *kb_memory(int64_t bytes);

#endif
