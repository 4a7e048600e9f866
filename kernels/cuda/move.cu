// Operators that move numbers: rows of a table or of a value, copies (for Concat,
// Store and slices), frames beside frames.
#include "product.h"

struct Embed {
  Matrix table;
  Mat to;
  const int *ids, *scalars;
  int kind;
  float scale;
};

// stored is one number of a packed weight.
__device__ inline float stored(int kind, const Matrix& w, long row, int c, int cols) {
  long width = padded(cols), at = row * width + c;
  if (kind <= TYPE_BF16) return load_number((const char*)w.data, kind, at);
  if (kind == TYPE_I8) return ((const int8_t*)w.data)[at] * w.scale[row];
  int blocks = width / 32, block = c / 32, i = c % 32;
  uint4 q = quants(kind, raw_of(kind, w, row, block, blocks, i / 16), i / 16);
  Scales s = scales_of(kind, w, row, block, blocks);
  uint32_t word = i % 16 < 4 ? q.x : i % 16 < 8 ? q.y : i % 16 < 12 ? q.z : q.w;
  return (i < 16 ? s.d0 : s.d1) * (int8_t)(word >> 8 * (i % 4)) + s.m;
}

KERNEL(embed_rows, Embed, 128, 8) {
  int row = blockIdx.x;
  if (row >= length(p.to.rows, p.scalars)) return;
  for (int c = threadIdx.x; c < p.to.cols; c += 128)
    ((float*)p.to.at)[(long)row * p.to.ld + c] =
        stored(p.kind, p.table, p.ids[row], c, p.to.cols) * p.scale;
}

struct Gather {
  Mat x, to;
  const int *ids, *scalars;
};

KERNEL(gather_rows, Gather, 128, 8) {
  int row = blockIdx.x;
  if (row >= length(p.to.rows, p.scalars)) return;
  const float* x = (const float*)p.x.at + (long)p.ids[row] * p.x.ld;
  for (int c = threadIdx.x; c < p.to.cols; c += 128)
    ((float*)p.to.at)[(long)row * p.to.ld + c] = x[c];
}

// Copy puts the rows of x after `after` rows, and after row scalars[to_row], of to.
struct Copy {
  Mat x;
  char* to;
  Dim after;
  int to_ld, to_row, type, unused;
  const int* scalars;
};

KERNEL(copy_rows, Copy, 256, 4) {
  int n = length(p.x.rows, p.scalars) * p.x.cols;
  int first = length(p.after, p.scalars) + (p.to_row ? p.scalars[p.to_row] : 0);
  for (int i = blockIdx.x * 256 + threadIdx.x; i < n; i += gridDim.x * 256) {
    int row = i / p.x.cols, c = i % p.x.cols;
    store_number(p.to, p.type, (long)(first + row) * p.to_ld + c,
                 ((const float*)p.x.at)[(long)row * p.x.ld + c]);
  }
}

// Pad puts rows around those of x: mirrored, or zeros.
struct Pad {
  Mat x, to;
  const int* scalars;
  int left, mirror;
};

KERNEL(pad_rows, Pad, 256, 4) {
  int rows = length(p.x.rows, p.scalars), n = length(p.to.rows, p.scalars) * p.to.cols;
  for (int i = blockIdx.x * 256 + threadIdx.x; i < n; i += gridDim.x * 256) {
    int row = i / p.to.cols, c = i % p.to.cols, t = row - p.left;
    if (p.mirror) t = t < 0 ? -t : t >= rows ? 2 * (rows - 1) - t : t;
    float v = t >= 0 && t < rows ? ((const float*)p.x.at)[(long)t * p.x.ld + c] : 0;
    ((float*)p.to.at)[(long)row * p.to.ld + c] = v;
  }
}
