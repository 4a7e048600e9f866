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
// Tokenizers are the models' own: byte-level BPE with marked ends of words
// (vocab.json with merges.txt, or tokenizer.json), WordPiece (vocab.txt), and
// Unigram (tokenizer.json; arXiv 1804.10959), which SigLIP has. A spiece.model
// alone is an error that says so. Text that is too long for a model is cut
// where the Python libraries cut it.
//
// Text and Pair are safe for use from many goroutines, a session belongs to one
// at a time. Errors name the file and the tensor, field or token.
package embed
