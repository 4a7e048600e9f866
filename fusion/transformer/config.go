package transformer

import (
	"fmt"
	"math"
	"slices"

	"github.com/kuai-robot/kuai/kernels"
)

// Config is the shape and the options of a decoder.
type Config struct {
	Family string // llama, qwen2 or gemma3, as GGUF calls it

	Vocab   int // tokens
	Context int // largest number of positions it was trained for
	Width   int // channels of the residual stream
	Hidden  int // channels inside the feed-forward part
	Heads   int
	KVHeads int // Heads is a multiple
	HeadDim int

	Epsilon    float32 // of the RMS norms
	NormOffset float32 // 1 where gains are stored less 1
	Activation kernels.Activation
	EmbedScale float32 // multiplies the embeddings; 0 means 1
	QueryScale float32 // of the scores; 0 means 1/√HeadDim

	Bias      bool // on queries, keys and values
	QKNorm    bool // RMS norm of each query and key head
	PostNorms bool // RMS norm of each branch before it is added

	RoPE        RoPE
	LocalRoPE   RoPE   // of the layers with Local
	Interleaved bool   // RoPE turns channels (2i, 2i+1) instead of (i, i+HeadDim/2)
	Window      int    // positions that a layer with Local sees
	Local       []bool // by layer

	AttentionCap float32 // scores become cap·tanh(score/cap); 0 means none
	LogitCap     float32 // the same for logits
}

// RoPE is one rotary position embedding (arXiv 2104.09864).
type RoPE struct {
	Base  float32
	Scale float32 // multiplies the position; 0 means 1
}

// Layers is the number of blocks.
func (c *Config) Layers() int { return len(c.Local) }

// Windowed says whether some layer looks back only a window.
func (c *Config) Windowed() bool { return slices.Contains(c.Local, true) }

// Bounds that no real model reaches; they keep products far from overflow.
const (
	maxLayers  = 1024
	maxSize    = 1 << 20
	maxContext = 1 << 24
	maxVocab   = 1 << 22
)

// check says which field cannot be.
func (c *Config) check() error {
	for _, f := range []struct {
		name     string
		is, most int
	}{
		{"vocabulary size", c.Vocab, maxVocab}, {"context length", c.Context, maxContext},
		{"embedding length", c.Width, maxSize}, {"feed-forward length", c.Hidden, maxSize},
		{"head count", c.Heads, maxSize}, {"key-value head count", c.KVHeads, maxSize},
		{"head dimension", c.HeadDim, maxSize}, {"block count", c.Layers(), maxLayers},
	} {
		if f.is < 1 || f.is > f.most {
			return fmt.Errorf("%s: %d, want 1 to %d", f.name, f.is, f.most)
		}
	}
	switch {
	case c.Heads%c.KVHeads != 0:
		return fmt.Errorf("head count: %d is not a multiple of the %d key-value heads", c.Heads, c.KVHeads)
	case c.HeadDim%2 != 0:
		return fmt.Errorf("head dimension: %d is odd", c.HeadDim)
	case c.Windowed() && c.Window < 1:
		return fmt.Errorf("sliding window: %d, want at least 1", c.Window)
	}
	for _, f := range []struct {
		name string
		is   float32
		zero bool // allowed
	}{
		{"norm epsilon", c.Epsilon, true}, {"embedding scale", c.EmbedScale, true}, {"query scale", c.QueryScale, true},
		{"rope base", c.RoPE.Base, false}, {"rope scale", c.RoPE.Scale, true},
		{"local rope base", c.LocalRoPE.Base, !c.Windowed()}, {"attention soft cap", c.AttentionCap, true}, {"logit soft cap", c.LogitCap, true},
	} {
		if !(f.is >= 0) || math.IsInf(float64(f.is), 0) || f.is == 0 && !f.zero {
			return fmt.Errorf("%s: %g", f.name, f.is)
		}
	}
	return nil
}

// everyNthGlobal marks all layers local but each nth.
func everyNthGlobal(layers, n int) []bool {
	local := make([]bool, layers)
	for i := range local {
		local[i] = n > 0 && (i+1)%n != 0
	}
	return local
}
