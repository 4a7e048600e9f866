// Package ref computes graphs in plain Go, to be read and believed: every
// operator is the formula of its comment in package kernels, written as loops.
//
// New stores activations and sums in f32, in the order of the elements, and
// multiplies matrices at the precision that the options ask for by rounding the
// operands first: to bf16, to 8 bits with a scale per output and per row, or,
// for weights in blocks, activations to 8 bits per 32. That is the plain
// implementation whose error the other backends may exceed twofold.
//
// Exact decodes every weight, ignores the precision and sums in f64; only what
// an operator writes is rounded to f32. It is the truth that errors are
// measured against.
//
// Weights are decoded once per backend value and held as f32, so a program
// needs four bytes a number whatever the file's type. Run uses the goroutine
// that calls it and allocates nothing.
package ref
