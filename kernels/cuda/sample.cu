// The choice of a token: a block for each row of logits. Tokens are never sorted:
// where the most probable that together have a share end is found bit by bit, over
// logits that are comparable as whole numbers, by adding up the weights of those
// not below. The sum of each thread only grows as the bound falls, so the search ends
// at the same place in every run.
#include "device.h"

constexpr int sample_threads = 512;

struct Sample {
  Mat x;
  const int* recent;
  const float* how;  // temperature, top-p, repetition penalty, the draw
  int* to;
  float *weights, *logits;  // scratch, [rows, cols]
  const int* scalars;
  Dim n;  // of recent
};

__device__ inline uint32_t order_of(float x) {
  uint32_t bits = __float_as_uint(x + 0.0f);  // -0 is 0
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}

struct Join {
  float* parts;

  __device__ float sum(float v) { return over(warp_sum(v), true); }
  __device__ float most(float v) { return over(warp_max(v), false); }
  __device__ float over(float v, bool adds) {
    __syncthreads();
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = v;
    __syncthreads();
    v = parts[0];
    for (int i = 1; i < sample_threads / 32; i++) v = adds ? v + parts[i] : larger(v, parts[i]);
    return v;
  }
};

// Candidates are the tokens from a logit on, of those equal to it the first few.
struct Candidates {
  uint32_t least;
  int equal;
  float sum;
};

struct Row {
  const float *weights, *logits;
  int n;
  Join join;

  __device__ float from(uint32_t least) {
    float sum = 0;
    for (int i = threadIdx.x; i < n; i += sample_threads)
      if (order_of(logits[i]) >= least) sum += weights[i];
    return join.sum(sum);
  }

  // reach gives the most probable that together have a share, or more than it.
  __device__ Candidates reach(float share, bool over) {
    uint32_t bound = 0;
    for (int bit = 31; bit >= 0; bit--) {
      float sum = from(bound | 1u << bit);
      if (over ? sum > share : sum >= share) bound |= 1u << bit;
    }
    return at_least(bound, share, over);
  }

  // at_least settles which logit is the least that is not below the bound, and how
  // many of those equal to it are needed.
  __device__ Candidates at_least(uint32_t bound, float share, bool over) {
    float low = INFINITY;
    for (int i = threadIdx.x; i < n; i += sample_threads)
      if (order_of(logits[i]) >= bound && logits[i] < low) low = logits[i];
    Candidates out = {order_of(-join.most(-low)), 0, 0};
    float above = 0, equal = 0, weight = 0;
    for (int i = threadIdx.x; i < n; i += sample_threads) {
      uint32_t at = order_of(logits[i]);
      if (at > out.least) above += weights[i];
      if (at == out.least) equal++, weight = weights[i];
    }
    out.sum = join.sum(above);
    equal = join.sum(equal);
    weight = join.most(weight);
    while (out.equal < (int)equal &&
           (out.equal == 0 || !(over ? out.sum > share : out.sum >= share)))
      out.equal++, out.sum += weight;
    return out;
  }

  // token is the last of the candidates: of those equal to the least the equal-th.
  __device__ int token(const Candidates& c) {
    int last = 0;
    for (int bit = 30; bit >= 0; bit--) {  // the largest bound with fewer before it
      int bound = last | 1 << bit;
      float before = 0;
      if (bound < n)
        for (int i = threadIdx.x; i < bound; i += sample_threads)
          before += order_of(logits[i]) == c.least;
      if (bound < n && (int)join.sum(before) < c.equal) last = bound;
    }
    return last;
  }
};

// penalise writes the logits with those of recent tokens made less likely, and
// gives the largest; NaN or +Inf if the row has one.
__device__ inline float penalise(const Sample& p, const float* x, float* to, Join& join) {
  for (int i = threadIdx.x; i < p.x.cols; i += sample_threads) to[i] = x[i];
  __syncthreads();
  if (threadIdx.x == 0)
    for (int i = 0; i < length(p.n, p.scalars); i++) {
      float v = x[p.recent[i]];
      to[p.recent[i]] = v > 0 ? v / p.how[2] : v * p.how[2];
    }
  __syncthreads();
  float top = -INFINITY;
  for (int i = threadIdx.x; i < p.x.cols; i += sample_threads) top = larger(top, to[i]);
  return join.most(top);
}

KERNEL(sample_rows, Sample, sample_threads, 2) {
  SHARED(float, parts, sample_threads / 32);
  int row = blockIdx.x;
  if (row >= length(p.x.rows, p.scalars)) return;
  int n = p.x.cols;
  float *logits = p.logits + (long)row * n, *weights = p.weights + (long)row * n;
  Row r = {weights, logits, n, {parts}};
  float top = penalise(p, (const float*)p.x.at + (long)row * p.x.ld, logits, r.join);
  float temperature = p.how[0], top_p = p.how[1], total = 0;
  bool number = top <= 3.4028235e38f, greedy = temperature == 0 || top < -3.4028235e38f;
  Candidates taken = {order_of(top), 1, 0};
  if (number && !greedy) {
    for (int i = threadIdx.x; i < n; i += sample_threads) {
      weights[i] = expf((logits[i] - top) / temperature);
      total += weights[i];
    }
    total = r.join.sum(total);
    Candidates kept =
        top_p > 0 && top_p < 1 ? r.reach(top_p * total, false) : r.at_least(0, INFINITY, false);
    taken = r.reach(p.how[3] * kept.sum, true);
    if (taken.least < kept.least) taken = kept;
    if (taken.least == kept.least) taken.equal = min(taken.equal, kept.equal);
  }
  int token = r.token(taken);
  if (threadIdx.x == 0) p.to[row] = number ? token : -1;
}
