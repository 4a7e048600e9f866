// Images: the windows of a convolution as rows, straight from the bytes of a camera
// (scaled per channel) or from numbers, and the largest of a window. The windows of
// a patch embedding do not overlap: it reads and writes each number once.
#include "device.h"

struct Windows {
  const char* x;
  Mat to;                      // [places, kh*kw*channels]
  const float *scale, *shift;  // one for each channel; null for images of f32
  int bytes, height, width, channels;
  int kh, kw, stride, padding;
  int out_width, unused;
};

KERNEL(image_windows, Windows, 256, 4) {
  int n = p.to.rows.add * p.to.cols;
  for (int i = blockIdx.x * 256 + threadIdx.x; i < n; i += gridDim.x * 256) {
    int place = i / p.to.cols, at = i % p.to.cols;
    int c = at % p.channels,
        x = place % p.out_width * p.stride - p.padding + at / p.channels % p.kw;
    int y = place / p.out_width * p.stride - p.padding + at / p.channels / p.kw;
    float v = 0;
    if (y >= 0 && y < p.height && x >= 0 && x < p.width) {
      long from = ((long)y * p.width + x) * p.channels + c;
      v = p.bytes ? ((const uint8_t*)p.x)[from] * p.scale[c] + p.shift[c]
                  : ((const float*)p.x)[from];
    }
    ((float*)p.to.at)[(long)place * p.to.ld + at] = v;
  }
}

struct MaxPool {
  const float* x;
  float* to;
  int height, width, channels, kernel;
  int stride, padding, out_height, out_width;
};

KERNEL(image_max, MaxPool, 256, 4) {
  int n = p.out_height * p.out_width * p.channels;
  for (int i = blockIdx.x * 256 + threadIdx.x; i < n; i += gridDim.x * 256) {
    int c = i % p.channels, place = i / p.channels;
    int top = place / p.out_width * p.stride - p.padding,
        left = place % p.out_width * p.stride - p.padding;
    float most = 0;
    bool none = true;
    for (int y = max(0, top); y < min(p.height, top + p.kernel); y++)
      for (int x = max(0, left); x < min(p.width, left + p.kernel); x++) {
        float v = p.x[((long)y * p.width + x) * p.channels + c];
        if (none || v > most) most = v, none = false;
      }
    p.to[i] = most;
  }
}
