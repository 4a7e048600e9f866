package embed

import (
	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/perception/encoder"
)

// Tower is the weights of a text encoder. It does not change after it was
// loaded.
type Tower struct {
	Config Config

	words, positions *kernels.Weight
	kind             *kernels.Weight // the first row of BERT's token types
	before           encoder.Norm    // BERT
	stack            encoder.Stack
	after            encoder.Norm   // CLIP, SigLIP
	project          encoder.Linear // without bias in CLIP, absent in BERT
}

// bertNames are those of BERT below a prefix.
func bertNames(prefix string) encoder.Names {
	return encoder.Names{
		Layer: prefix + "encoder.layer.%d.", AttentionNorm: "attention.output.LayerNorm", FeedForwardNorm: "output.LayerNorm",
		Q: "attention.self.query", K: "attention.self.key", V: "attention.self.value", Output: "attention.output.dense",
		Up: "intermediate.dense", Down: "output.dense",
	}
}

// Load takes the tower of a configuration out of a file.
func Load(f *checkpoint.File, c Config) (*Tower, error) {
	l := encoder.NewLoader(f)
	t := &Tower{Config: c}
	if c.Family == BERT {
		t.loadBERT(l)
		return t, l.Err()
	}
	const at = "text_model."
	t.words = l.Take(at+"embeddings.token_embedding.weight", c.Vocabulary, c.Width)
	t.positions = l.Take(at+"embeddings.position_embedding.weight", c.Positions, c.Width)
	t.stack = c.Load(l, encoder.CLIPNames(at))
	t.after = l.Norm(at+"final_layer_norm", c.Width)
	if c.Family == CLIP {
		t.stack.Causal = true
		t.project.W = l.Take("text_projection.weight", c.Embedding, c.Width)
	} else {
		t.project = l.Linear(at+"head", c.Embedding, c.Width)
	}
	return t, l.Err()
}

func (t *Tower) loadBERT(l *encoder.Loader) {
	c, at := &t.Config, ""
	if l.Has("bert.embeddings.LayerNorm.weight") {
		at = "bert."
	}
	t.words = l.Take(at+"embeddings.word_embeddings.weight", c.Vocabulary, c.Width)
	t.positions = l.Take(at+"embeddings.position_embeddings.weight", c.Positions, c.Width)
	if kinds := l.Take(at+"embeddings.token_type_embeddings.weight", 2, c.Width); kinds != nil {
		t.kind = encoder.Split(kinds, 2)[0]
	}
	t.before = l.Norm(at+"embeddings.LayerNorm", c.Width)
	t.stack = c.Load(l, bertNames(at))
	t.stack.PostNorm = true
}

// Build adds the tower to a graph: ids and positions are i32 inputs [tokens],
// last an i32 input [1] that names the row of the last token. The embedding is
// [1, Embedding], of unit length.
func (t *Tower) Build(g *kernels.Graph, ids, positions, last kernels.Value) kernels.Value {
	x := g.Add(kernels.Embed{Table: t.words, IDs: ids})
	x = g.Add(kernels.Binary{X: x, Y: g.Add(kernels.Embed{Table: t.positions, IDs: positions})})
	if t.Config.Family == BERT {
		x = g.Add(kernels.Binary{X: x, Y: g.Add(kernels.Const{W: t.kind})})
		x = t.stack.Build(g, t.before.Apply(g, x, t.Config.Epsilon))
		x = g.Add(kernels.MeanRows{X: x})
	} else {
		x = g.Add(kernels.Gather{X: t.stack.Build(g, x), Rows: last})
		x = t.project.Apply(g, t.after.Apply(g, x, t.Config.Epsilon), kernels.Identity)
	}
	return g.Add(kernels.Norm{X: x, Kind: kernels.L2, Epsilon: 1e-12})
}
