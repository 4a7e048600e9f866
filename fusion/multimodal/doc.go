// Package multimodal puts pictures, sounds and states into a language model: as
// embeddings that stand among those of the text, as PaLM-E does (arXiv
// 2303.03378, section 3), or as what the layers of the decoder look at besides
// the text, as Flamingo does (arXiv 2204.14198, section 2).
//
// A folder of two files goes in, config.json and model.safetensors; a Model comes
// out, which has projectors, a Cross, or both:
//
//	m, err := multimodal.Open(dir)
//	projectors, err := m.Compile(backend, options)           // encoder rows to decoder rows
//	parts, err := multimodal.Interleave(tokenizer, "What is in <image>?", fill)
//	model, err := generate.Open(path, backend, generate.Options{Mixed: true, Cross: m.Cross})
//	err = session.GenerateParts(ctx, parts, sampling, emit)
//
// # Projectors
//
// A projector turns rows of an encoder (the patches of an image tower, the
// embeddings of Whisper, one row of joint positions) into rows as wide as the
// decoder: linear, or with a hidden layer and GELU between. A row may become
// several. What comes out is put where a placeholder stands in the text, and the
// decoder reads it as it reads tokens; scaled embeddings (Gemma) are those of
// tokens alone.
//
// # Gated cross-attention
//
// A medium is rows of features. A perceiver (arXiv 2103.03206, Flamingo's
// resampler) makes a fixed number of latents of however many there are; before
// every nth layer of the decoder, text attends to the latents of the last medium
// that came before it, or to none, and
//
//	x = x + tanh(attention_gate)·attention(norm(x), latents)
//	x = x + tanh(gate)·down(GELU(up(norm(x))))
//
// so that gates of zero leave the language model as it was. Keys and values of a
// medium are computed once and kept in states beside those of the decoder.
//
// # Layout
//
// config.json; projectors, cross and in it every field but inputs may be left out:
//
//	{"model_type": "kuai_multimodal",
//	 "width": 576,                         of the decoder
//	 "projectors": {"image": {"inputs": 768, "hidden": 1024, "rows": 1},
//	                "state": {"inputs": 7, "hidden": 0, "rows": 1}},
//	 "cross": {"inputs": 768, "every": 4, "layers": 30, "heads": 8, "head_dim": 64,
//	           "hidden": 2304, "latents": 16, "depth": 2, "features": 256, "media": 4}}
//
// layers are those of the decoder, features the most rows of a medium, media the
// most that a sequence has. Tensors, matrices [outputs, inputs], a hidden of 0
// leaves linear2 out; N counts the perceiver's layers, I is a layer of the decoder
// that is a multiple of every; A is heads·head_dim, D is inputs:
//
//	projectors.NAME.linear1.weight, .bias      [hidden or rows·width, inputs]
//	projectors.NAME.linear2.weight, .bias      [rows·width, hidden]
//	cross.latents                              [latents, D]
//	cross.perceiver.N.norm_media, .norm_latents, .norm    layer norms of D: .weight, .bias
//	cross.perceiver.N.q, .k, .v, .out          .weight [A, D], out [D, A]
//	cross.perceiver.N.up, .down                .weight [4D, D], [D, 4D]
//	cross.norm                                 layer norm of D
//	cross.layers.I.norm, .norm2                layer norms of the width
//	cross.layers.I.q, .k, .v, .out             .weight [A, width], [A, D], [A, D], [width, A]
//	cross.layers.I.up, .down                   .weight [hidden, width], [width, hidden]
//	cross.layers.I.attention_gate, .gate       one number each
//
// In the perceiver latents attend to the medium and to themselves, keys and values
// of both come from k and v.
//
// A Model is read-only; train/multimodal has the same in PyTorch and makes the
// fixtures. Errors name the file and the tensor or field.
package multimodal
