// Norms that no product has taken in: a warp for each row, or part of a row.
#include "device.h"

struct NormOf {
  Mat x, to;
  Norm norm;
  const int* scalars;
  int groups, unused;
};

KERNEL(norm_rows, NormOf, 128, 8) {
  int i = blockIdx.x * 4 + threadIdx.x / 32, row = i / p.groups, group = i % p.groups,
      n = p.x.cols / p.groups;
  if (row >= length(p.x.rows, p.scalars)) return;
  const float* x = (const float*)p.x.at + (long)row * p.x.ld + group * n;
  float* to = (float*)p.to.at + (long)row * p.to.ld + group * n;
  float mean, scale;
  moments(p.norm, x, n, mean, scale);
  for (int c = threadIdx.x % 32; c < n; c += 32) to[c] = normal(p.norm, x[c], mean, scale, c);
}
