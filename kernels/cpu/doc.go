// Package cpu runs graphs on the processor's vector units.
//
// Build lowers the graph to a list of steps with package plan, which fuses what
// belongs together, orders the steps and gives every value and every scratch buffer
// a place in one block of memory; emit.go writes the steps as C structs.
//
// Run is one call into C, which walks the steps. Weights are packed once for
// each Weight and precision and shared by all programs of a Backend value
// (weights.go; the layouts are in kc.h): blocks of GGUF types stay blocks, with
// the rows of a panel interleaved, and are multiplied as integers with
// activations rounded to 8 bits per 32. The same packed form serves one row
// (decoding) and many (prompts).
//
// The kernels are written once, with the compiler's vector extension, and
// compiled for several levels of processor: base (SSE2, NEON), AVX2, AVX-512
// with VNNI, the same with BF16; on arm64 dot products with f16 (DotProd), the
// same with mixed signs and BF16 (I8MM). New takes the best that the processor
// has; any processor has base. Where a processor multiplies f16 and not bf16,
// BFloat16 means f16 in runs of 16 that are summed in f32, weights and rows
// over powers of two so that no sum overflows.
//
// All products use these kernels, also the large ones of floats. Measured beside
// a library's bare product (oneDNN 2.6, one core with AVX-512, a machine that
// others used too) they reached 80 to 100 % of its rate in f32, 75 to 90 % in
// bf16 and 70 to 80 % in int8, the rounding of activations and the scaling of
// results included, for any number of rows and with what is fused at no extra
// pass.
//
// A Backend owns Threads-1 worker threads, which spin for some microseconds
// after work and then park. Results do not depend on the number of threads. A
// Run that finds the workers busy with another session computes on its own
// thread.
package cpu
