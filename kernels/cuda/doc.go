// Package cuda runs graphs on an NVIDIA GPU of the Ampere generation or newer.
//
// # From a graph to launches
//
// Build lowers the graph with package plan, which fuses what belongs together, orders
// the steps and lays all values into one block of memory; lower.go has the rules of
// these kernels and makes a launch of each step.
//
// Each kernel is in <op>.cu and the rule that launches it, with its grid, its shared
// memory and its cost, beside it in <op>.go; layout.go has the parameters of both sides,
// product.h says how weights lie, weights.go packs them. A decoder layer is six launches,
// an encoder layer five.
//
// To follow one forward, read backend.go (Build), lower.go (launch), one pair of
// <op>.go and <op>.cu, instance.go (Run and commands), and driver.go, which is all that
// is asked of a device.
//
// # Running
//
// A session records its launches once for each class of lengths (1, 4, 16, 64, ...
// rows): a recording is one CUDA graph with the copies of inputs and outputs in it,
// so a run is one launch of a graph. Lengths and positions are read by the kernels
// from a small buffer, so a recording serves all lengths of its class; blocks beyond
// the length return at once. Where a device shares the host's memory (a Jetson) there are
// no copies: kernels read inputs and write outputs where the host has them, but for an
// output that later launches read again.
//
// A state stays on the device. Session.F32 of a state copies it to the host, and the
// next run copies it back: what is written there is seen, but a slice that was kept
// from before a run is not brought up to date. That is for tests and for small
// states; Session.MoveRow moves rows of a cache where they lie.
//
// Before and after a network: Resize takes a camera's bytes of any size, and where a
// patch embedding follows is one launch with it (resize, scale, windows); LogPower ends a
// spectrogram whose spectra are products; LogProb gives the tokens of a trie without
// writing the logits' softmax; Sample draws a token, so that a run gives one number.
//
// Backends of one driver share the weights that they have in common, and package gpu
// gives one driver to a process.
//
// # Precision
//
// Stored bf16 and the precision BFloat16 multiply on tensor cores with sums in f32;
// f16 weights do so twice, with rounded activations and with what the rounding lost,
// which is as good as f32; i8 and blocks of GGUF types multiply 8-bit numbers, with
// activations rounded as package kernels says. f32 weights use the ordinary cores. A
// few rows at a time (decoding) are products of vectors, bound by the bytes of the
// weights, which are read once: a test counts them.
//
// # Without a GPU
//
// The backend talks to a Driver. Package gpu is that of a real card; package emulate
// runs the same sources on the processor and finds what a card would hide; package
// roofline has no device at all and predicts. NewFallback goes on with another
// backend when memory does not suffice or the device is lost.
package cuda
