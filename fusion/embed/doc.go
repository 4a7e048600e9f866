// Package embed turns sentences into embeddings, and says how well pictures and
// sentences fit each other: the text towers of CLIP (arXiv 2103.00020) and
// SigLIP (arXiv 2303.15343), and sentence encoders of the BERT family such as
// MiniLM (arXiv 1810.04805, 1908.10084).
//
// A folder in the layout of Hugging Face goes in; its config.json says which it
// is. Out comes a Text, whose sessions give embeddings of unit length, or, with
// the image tower beside it, a Pair:
//
//	pair, err := embed.OpenPair(dir, backend, embed.Options{})
//	session, err := pair.NewSession([]string{"a red block", "a bowl"})
//	matches, err := session.Match(ctx, &frame)
//
// # Sound
//
// A head of a few matrices puts what Whisper's encoder hears and what a sentence
// encoder reads into one space, as CLAP does (arXiv 2206.04769, section 2.1):
//
//	sound, err := embed.OpenSound(dir, embed.SoundFolders{Sound: whisperDir, Text: miniLMDir}, backend, embed.Options{})
//	session, err := sound.NewSession(ctx, []string{"go forward", "stop"})
//	matches, err := session.Match(ctx, samples)
//
// The layout of a head is a folder of two files. config.json:
//
//	{"model_type": "kuai_sound_head",
//	 "sound_encoder": "whisper-base",     the encoders it was trained on, as kuai models
//	 "text_encoder": "all-minilm-l6-v2",  knows them, or a folder beside this one: "./whisper"
//	 "sound_width": 512,                  length of the encoders' embeddings
//	 "text_width": 384,
//	 "projection_dim": 256,               d, length of the embeddings that are compared
//	 "sound_layers": 2,                   1 or 2, the layers of each side's projection
//	 "text_layers": 1,
//	 "layer_norm_eps": 1e-5}
//
// model.safetensors, in f32, f16 or bf16, matrices [outputs, inputs]; SIDE is
// sound_projection or text_projection:
//
//	SIDE.linear1.weight [d, width]    SIDE.linear1.bias [d]
//	SIDE.linear2.weight [d, d]        SIDE.linear2.bias [d]        with two layers
//	SIDE.layer_norm.weight [d]        SIDE.layer_norm.bias [d]     with two layers
//	logit_scale, one number: the logarithm of what multiplies a cosine
//
// With one layer a projection is linear1(x). With two it is
// LayerNorm(y + linear2(GELU(y))) where y is linear1(x), GELU by erf: a network
// of two layers with a skip. Both end divided by their length. The x of a text is
// the sentence's embedding of unit length, as Text gives it. The x of a sound is
// the mean over the rows of what the encoder gives after its last norm, for the
// clip alone: 16 kHz, filled up with zeros to whole hops of 160 samples, n hops
// (1 to 3000) give n rows of spectrogram, the encoder gives (n+1)/2 rows for
// positions 0, 1, 2, …, with no silence to 30 seconds, and all of them count.
// Probabilities are the softmax of exp(logit_scale)·cosine over the texts.
//
// # Tokenizers
//
// Tokenizers are the models' own: byte-level BPE with marked ends of words
// (vocab.json with merges.txt, or tokenizer.json), WordPiece (vocab.txt), and
// Unigram (tokenizer.json; arXiv 1804.10959), which SigLIP has. A spiece.model
// alone is an error that says so. Text that is too long for a model is cut
// where the Python libraries cut it.
//
// Text and Pair are safe for use from many goroutines, a session belongs to one
// at a time. Errors name the file and the tensor, field or token.
package embed
