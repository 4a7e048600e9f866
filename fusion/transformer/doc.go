// Package transformer is the decoder of the Llama family (arXiv 2302.13971) as
// one builder of graphs over kernels. Options of Config make it SmolLM2 and
// Llama, Qwen2.5 (arXiv 2412.15115: biases on queries, keys and values) or
// Gemma 3 (arXiv 2503.19786: norms of queries and keys, a norm after each
// branch, GeGLU, scaled embeddings, layers that look back only a window).
//
// A checkpoint file goes in, a Model comes out: the configuration and the
// weights by role, checked against each other. GGUF files carry both; a folder
// in the layout of Hugging Face has them in config.json and safetensors. The
// converter to GGUF reorders the rows of queries and keys of the architecture
// llama so that RoPE turns neighbouring channels: Config.Interleaved says so.
//
// A Model builds, in the caller's graph and in this order,
//
//	x := m.Embed(g, ids)         // [rows, Width]
//	x = m.Blocks(g, x, cache)    // [rows, Width]; keys and values go to states
//	logits := m.Head(g, x)       // [rows, Vocab]
//
// and nothing is computed here. The rows of one run follow each other in time
// unless Cache.Mask says which earlier rows each one sees, as the branches of a
// tree need it.
//
// A LoRA adapter (arXiv 2106.09685) in the layout of peft stands beside the
// weights, which stay as they are stored: two small products more for each
// matrix that has one. Adapt reads it and refuses that of another base model.
//
// A Model is read-only after loading and Adapt. Its weights lie in the checkpoint file,
// which may be closed once all programs are compiled.
package transformer
