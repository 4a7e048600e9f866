// Functions of one number and of two.
#include "device.h"

struct Activate {
  Mat x, to;
  const int* scalars;
  int act, unused;
};

KERNEL(activate_each, Activate, 256, 4) {
  int n = length(p.x.rows, p.scalars) * p.x.cols;
  for (int i = blockIdx.x * 256 + threadIdx.x; i < n; i += gridDim.x * 256) {
    int row = i / p.x.cols, c = i % p.x.cols;
    ((float*)p.to.at)[(long)row * p.to.ld + c] =
        activate(p.act, ((const float*)p.x.at)[(long)row * p.x.ld + c]);
  }
}

struct Binary {
  Mat x, y, to;
  const int* scalars;
  int kind, act, y_row, y_col;  // y_row, y_col: 0 where y repeats
};
enum BinaryKind { BINARY_ADD, BINARY_MUL, BINARY_HYPOT };

KERNEL(binary_each, Binary, 256, 4) {
  int n = length(p.x.rows, p.scalars) * p.x.cols;
  for (int i = blockIdx.x * 256 + threadIdx.x; i < n; i += gridDim.x * 256) {
    int row = i / p.x.cols, c = i % p.x.cols;
    float a = activate(p.act, ((const float*)p.x.at)[(long)row * p.x.ld + c]);
    float b = ((const float*)p.y.at)[(long)row * p.y_row * p.y.ld + c * p.y_col];
    ((float*)p.to.at)[(long)row * p.to.ld + c] = p.kind == BINARY_MUL     ? a * b
                                                 : p.kind == BINARY_HYPOT ? sqrtf(a * a + b * b)
                                                                          : a + b;
  }
}
