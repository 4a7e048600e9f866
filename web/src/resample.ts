// A stream of samples at another rate: a sinc under a Hann window, cut off below
// half of the lower rate (https://ccrma.stanford.edu/~jos/resample/).

const crossings = 16; // zero crossings of the sinc on each side
const fine = 256; // entries of the table between two crossings
const pass = 0.92; // share of half the lower rate that passes

export class Resampler {
  /** Input samples between two output samples. */
  private readonly step: number;
  private readonly cutoff: number; // share of half the input's rate
  private readonly half: number; // input samples on each side of an output sample
  private readonly kernel = new Float32Array(crossings * fine + 2);
  private history: Float32Array; // what is still needed of the input
  private kept = 0;
  private at = 0; // where in history the next output sample lies

  constructor(from: number, to: number) {
    this.step = from / to;
    this.cutoff = pass * Math.min(1, to / from);
    this.half = Math.ceil(crossings / this.cutoff);
    this.history = new Float32Array(4 * this.half + 4096);
    for (let i = 0; i < this.kernel.length; i++) {
      const x = i / fine;
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
      this.kernel[i] = x >= crossings ? 0 : sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / crossings)) * this.cutoff;
    }
    // As if silence had come before, so that the first output is the first input.
    this.kept = this.half;
    this.at = this.half;
  }

  /** Takes input and hands each sample that is complete to take. */
  push(input: Float32Array, take: (sample: number) => void): void {
    if (this.kept + input.length > this.history.length) {
      const longer = new Float32Array(2 * (this.kept + input.length));
      longer.set(this.history.subarray(0, this.kept));
      this.history = longer;
    }
    this.history.set(input, this.kept);
    this.kept += input.length;
    for (; this.at + this.half < this.kept; this.at += this.step) take(this.sample());
    const done = Math.floor(this.at) - this.half;
    this.history.copyWithin(0, done, this.kept);
    this.kept -= done;
    this.at -= done;
  }

  private sample(): number {
    const { history, kernel, at } = this;
    let sum = 0;
    for (let i = Math.ceil(at - this.half); i <= at + this.half; i++) {
      const x = Math.abs(i - at) * this.cutoff * fine;
      if (x >= crossings * fine) continue;
      const k = Math.floor(x);
      sum += history[i]! * (kernel[k]! + (x - k) * (kernel[k + 1]! - kernel[k]!));
    }
    return sum;
  }
}
