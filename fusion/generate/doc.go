// Package generate runs a language model: it reads prompts, continues them and
// says how probable given continuations are.
//
// A Model is a checkpoint compiled for a backend and is shared; any number of
// goroutines make a Session each, which holds the keys and values of what was
// read so far. A Session and its Scorers belong to one goroutine at a time.
//
//	model, err := generate.Open(path, backend, generate.Options{})
//	session, err := model.NewSession()
//	prompt, err := model.Tokenizer().Chat(messages, true)
//	err = session.Generate(ctx, prompt, generate.Sampling{MaxTokens: 64}, func(token int32, piece string) bool {
//		fmt.Print(piece)
//		return true
//	})
//
// # What is not computed again
//
// The longest common prefix of a prompt and of what the session has read, be it
// a prompt, generated tokens or a scored branch, is taken from the cache.
//
// # Adapters
//
// Options.Adapter puts an adapter of any kind that package transformer knows
// beside the weights. Model.Adapt makes another model of the same weights with
// another adapter, Session.Switch goes over to it between two prompts. Keys and
// values depend on the adapter: what a session has read with one is never used
// with another. A prefix takes the first rows of the cache and the first
// positions, and so of Context.
//
// # Pictures, sounds, states
//
// With Options.Mixed a prompt may have embeddings among its tokens, with
// Options.Cross media that text looks at besides: LogitsParts and GenerateParts
// take the parts that package multimodal describes. Embeddings with the same
// numbers in the same place count as read, media never do.
//
// # Scoring
//
// A Trie is a set of token sequences. A Scorer gives, node by node, the exact
// log-probability of each child over the whole vocabulary: what
// policy/saycan.Search asks for. Nodes that are asked for together in one
// forward pass are the node in question, the chain below it where there is no
// choice, and the most probable nodes that are still open; each row of a pass
// sees the prompt and its own ancestors alone, so that what it gets does not
// depend on what else is in the pass. No token is computed twice.
//
// That holds to 1e-3 where products are in f32. Where weights are in blocks and
// products in kernels.Stored precision, activations are rounded to 8 bits, and a
// last bit that differs in one sum (sums over keys are taken in other orders by
// passes of other sizes) can grow to a few tenths in the log-probability of a
// whole option: as much as the rounding itself costs.
//
// # Failure
//
// A prompt that is empty, does not fit or holds an id outside the vocabulary is
// an error before anything is computed. A context that ends is noticed before
// each pass: within one token of an answer, within Options.Batch tokens of a
// prompt. After any error the session can be used on: what was computed stays.
package generate
