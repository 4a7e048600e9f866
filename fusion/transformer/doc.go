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
// # Adapters
//
// An adapter stands beside the weights, which stay as they are stored. It is a
// folder of two files, adapter_config.json and adapter_model.safetensors; Adapt
// reads it and refuses that of another base model, naming the field or tensor.
// peft_type says which kind it is:
//
//   - LORA (arXiv 2106.09685), as peft saves it: two small products more for each
//     matrix that has one.
//   - PREFIX_TUNING (arXiv 2101.00190), as peft saves it: one tensor
//     prompt_embeddings [num_virtual_tokens, layers·2·KVHeads·HeadDim], keys and
//     values that every sequence begins with. Keys are turned already, tokens
//     come at the positions after them.
//   - BOTTLENECK (arXiv 1902.00751, section 2.1), a layout of our own, for peft
//     has none. Behind the last matrix of a branch, before a norm of the branch
//     and before the sum, y becomes y + scale·(up·act(down·y)).
//
// adapter_config.json of a bottleneck:
//
//	{"peft_type": "BOTTLENECK",
//	 "bottleneck_size": 64,
//	 "non_linearity": "gelu",         or relu, gelu_tanh, silu, tanh, identity
//	 "scale": 1.0,
//	 "bias": true,                    false: no tensor is called bias
//	 "targets": ["attention", "mlp"]} or one of them
//
// and its tensors, for every layer N and TARGET:
//
//	layers.N.TARGET.down.weight [size, Width]    layers.N.TARGET.down.bias [size]
//	layers.N.TARGET.up.weight   [Width, size]    layers.N.TARGET.up.bias   [Width]
//
// Each kind may say "kuai_base", the Fingerprint of the model it was trained on.
//
// A Model is read-only after loading and Adapt; Adapted gives a copy with another
// adapter that shares the weights. These lie in the checkpoint file, which may be
// closed once all programs are compiled.
package transformer
