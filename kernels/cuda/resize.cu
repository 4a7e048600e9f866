// A camera's picture made smaller or larger as Pillow does it (along the rows, then
// down the columns, with bytes between): to bytes, or straight to the windows of a
// patch embedding, resized, scaled per channel and laid out as the product reads
// them, in one pass. The bytes between are computed anew for each row that needs
// them: they never leave the registers, and neighbours find the pixels in the cache.
#include "device.h"

struct Picture {
  const uint8_t* x;
  const int *across, *down;  // rows of: first pixel, how many, their weights
  const int* scalars;
  int width, channels;  // a scalar; numbers of a pixel
  int across_ld, down_ld;
  int out_height, out_width;
};

struct Resize {
  Picture from;
  uint8_t* to;
};

struct ResizeWindows {
  Picture from;
  Mat to;                      // [places, kh*kw*channels]
  const float *scale, *shift;  // one for each channel
  int kh, kw, stride, padding;
  int places_wide, unused;
};

constexpr int fraction = 22;

__device__ inline int byte_of(int sum) { return min(max(sum >> fraction, 0), 255); }

// pixel is channel c of column x and row y of the result.
__device__ inline int pixel(const Picture& p, int width, int y, int x, int c) {
  const int *rows = p.down + (long)y * p.down_ld, *columns = p.across + (long)x * p.across_ld;
  int first = columns[0], count = columns[1], sum = 1 << (fraction - 1);
  for (int j = 0; j < rows[1]; j++) {
    const uint8_t* from = p.x + ((long)(rows[0] + j) * width + first) * p.channels + c;
    int between = 1 << (fraction - 1);
    for (int k = 0; k < count; k++) between += from[k * p.channels] * columns[2 + k];
    sum += byte_of(between) * rows[2 + j];
  }
  return byte_of(sum);
}

KERNEL(resize_bytes, Resize, 256, 4) {
  const Picture& s = p.from;
  int n = s.out_height * s.out_width * s.channels, width = s.scalars[s.width];
  for (int i = blockIdx.x * 256 + threadIdx.x; i < n; i += gridDim.x * 256) {
    int place = i / s.channels;
    p.to[i] = pixel(s, width, place / s.out_width, place % s.out_width, i % s.channels);
  }
}

KERNEL(resize_windows, ResizeWindows, 256, 4) {
  const Picture& s = p.from;
  int n = p.to.rows.add * p.to.cols, width = s.scalars[s.width];
  for (int i = blockIdx.x * 256 + threadIdx.x; i < n; i += gridDim.x * 256) {
    int place = i / p.to.cols, at = i % p.to.cols, c = at % s.channels;
    int x = place % p.places_wide * p.stride - p.padding + at / s.channels % p.kw;
    int y = place / p.places_wide * p.stride - p.padding + at / s.channels / p.kw;
    float v = 0;
    if (y >= 0 && y < s.out_height && x >= 0 && x < s.out_width)
      v = pixel(s, width, y, x, c) * p.scale[c] + p.shift[c];
    ((float*)p.to.at)[(long)place * p.to.ld + at] = v;
  }
}
