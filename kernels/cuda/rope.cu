// Rotary embedding: a table of cosines and sines for the rows of a run, in double
// precision because positions times frequencies are large, then the turns of one
// or two values (queries and keys) in one launch, each perhaps into a cache.
#include "device.h"

struct RopeTable {
  const int* positions;
  const double* frequencies;
  Mat to;  // [rows, 2*pairs]: cosines, sines
  const int* scalars;
  int pairs, unused;
};

KERNEL(rope_table, RopeTable, 128, 8) {
  int rows = length(p.to.rows, p.scalars);
  for (int i = blockIdx.x * 128 + threadIdx.x; i < rows * p.pairs; i += gridDim.x * 128) {
    int row = i / p.pairs, k = i % p.pairs;
    double angle = p.positions[row] * p.frequencies[k], s, c;
    sincos(angle, &s, &c);
    float* to = (float*)p.to.at + (long)row * p.to.ld;
    to[k] = (float)c;
    to[p.pairs + k] = (float)s;
  }
}

struct Turn {
  Mat x;
  char* to;
  int to_ld, to_row, type, heads;
};

struct Rope {
  Turn turns[2];
  Mat table;
  const int* scalars;
  int count, pairs, interleaved, unused;
};

KERNEL(rope_turn, Rope, 128, 8) {
  const Turn& t = p.turns[blockIdx.y];
  int rows = length(t.x.rows, p.scalars), first = t.to_row ? p.scalars[t.to_row] : 0,
      head = t.x.cols / t.heads;
  for (int i = blockIdx.x * 128 + threadIdx.x; i < rows * t.x.cols; i += gridDim.x * 128) {
    int row = i / t.x.cols, c = i % t.x.cols, at = c % head;
    const float* x = (const float*)t.x.at + (long)row * t.x.ld + c;
    const float* table = (const float*)p.table.at + (long)row * p.table.ld;
    float v = *x;
    if (at < 2 * p.pairs) {
      bool second = p.interleaved ? at % 2 : at >= p.pairs;
      int k = p.interleaved ? at / 2 : at % p.pairs, step = p.interleaved ? 1 : p.pairs;
      float cos = table[k], sin = table[p.pairs + k];
      v = second ? x[-step] * sin + v * cos : v * cos - x[step] * sin;
    }
    store_number(t.to, t.type, (long)(first + row) * t.to_ld + c, v);
  }
}
