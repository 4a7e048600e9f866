package embed

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/perception/encoder"
)

// SoundConfig is config.json of a sound head; see the package comment.
type SoundConfig struct {
	Type         string  `json:"model_type"`
	SoundEncoder string  `json:"sound_encoder"`
	TextEncoder  string  `json:"text_encoder"`
	SoundWidth   int     `json:"sound_width"`
	TextWidth    int     `json:"text_width"`
	Embedding    int     `json:"projection_dim"`
	SoundLayers  int     `json:"sound_layers"`
	TextLayers   int     `json:"text_layers"`
	Epsilon      float32 `json:"layer_norm_eps"`
}

// soundHead is the model_type of a sound head.
const soundHead = "kuai_sound_head"

// ReadSoundConfig reads config.json of a sound head's folder.
func ReadSoundConfig(dir string) (SoundConfig, error) {
	data, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		return SoundConfig{}, fmt.Errorf("sound head: %w", err)
	}
	c, err := parseSoundConfig(data)
	if err != nil {
		return c, fmt.Errorf("%s: %w", dir, err)
	}
	return c, nil
}

func parseSoundConfig(data []byte) (SoundConfig, error) {
	c := SoundConfig{SoundLayers: 2, TextLayers: 1, Epsilon: 1e-5}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("config.json: %w", err)
	}
	if c.Type != soundHead {
		return c, fmt.Errorf("config.json: model_type: %q, a sound head has %s", c.Type, soundHead)
	}
	if !(c.Epsilon > 0 && c.Epsilon < 1) {
		return c, fmt.Errorf("config.json: layer_norm_eps: %g, want a small positive number", c.Epsilon)
	}
	return c, errors.Join(
		encoder.Range("sound_width", c.SoundWidth, 1, encoder.MaxWidth),
		encoder.Range("text_width", c.TextWidth, 1, encoder.MaxWidth),
		encoder.Range("projection_dim", c.Embedding, 1, encoder.MaxWidth),
		encoder.Range("sound_layers", c.SoundLayers, 1, 2),
		encoder.Range("text_layers", c.TextLayers, 1, 2),
	)
}

// SoundHead is the weights of both projections. It does not change after it was
// loaded.
type SoundHead struct {
	Config SoundConfig

	sound, text projection
	scale       float32 // logit_scale
}

// projection is one side of a head.
type projection struct {
	first, second encoder.Linear // second is empty with one layer
	norm          encoder.Norm
}

// LoadSoundHead takes the head of a configuration out of a file.
func LoadSoundHead(f *checkpoint.File, c SoundConfig) (*SoundHead, error) {
	l := encoder.NewLoader(f)
	h := &SoundHead{Config: c, scale: l.Number("logit_scale")}
	h.sound = loadProjection(l, "sound_projection.", c.SoundWidth, c.Embedding, c.SoundLayers)
	h.text = loadProjection(l, "text_projection.", c.TextWidth, c.Embedding, c.TextLayers)
	return h, l.Err()
}

func loadProjection(l *encoder.Loader, at string, width, embedding, layers int) projection {
	p := projection{first: l.Linear(at+"linear1", embedding, width)}
	if layers == 2 {
		p.second = l.Linear(at+"linear2", embedding, embedding)
		p.norm = l.Norm(at+"layer_norm", embedding)
	}
	return p
}

// Sound adds the head to a graph that holds what the sound encoder gave,
// [rows, SoundWidth]; the result is [1, Embedding], of unit length.
func (h *SoundHead) Sound(g *kernels.Graph, hidden kernels.Value) kernels.Value {
	return h.sound.build(g, g.Add(kernels.MeanRows{X: hidden}), h.Config.Epsilon)
}

// Text adds the head to a graph that holds sentence embeddings,
// [rows, TextWidth]; the result is [rows, Embedding], of unit length each.
func (h *SoundHead) Text(g *kernels.Graph, sentences kernels.Value) kernels.Value {
	return h.text.build(g, sentences, h.Config.Epsilon)
}

func (p *projection) build(g *kernels.Graph, x kernels.Value, epsilon float32) kernels.Value {
	x = p.first.Apply(g, x, kernels.Identity)
	if p.second.W != nil {
		act := g.Add(kernels.Activate{X: x, Act: kernels.GELU})
		x = g.Add(kernels.MatMul{X: act, W: p.second.W, Bias: p.second.Bias, Residual: x})
		x = p.norm.Apply(g, x, epsilon)
	}
	return g.Add(kernels.Norm{X: x, Kind: kernels.L2, Epsilon: 1e-12})
}
