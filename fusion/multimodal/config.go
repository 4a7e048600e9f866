package multimodal

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/perception/encoder"
)

// Config is config.json; see the package comment.
type Config struct {
	Type       string                     `json:"model_type"`
	Width      int                        `json:"width"`
	Projectors map[string]ProjectorConfig `json:"projectors"`
	Cross      *CrossConfig               `json:"cross"`
}

// ProjectorConfig is the shape of a projector.
type ProjectorConfig struct {
	Inputs int `json:"inputs"`
	Hidden int `json:"hidden"` // 0: linear
	Rows   int `json:"rows"`   // that one row becomes
}

// CrossConfig is the shape of gated cross-attention.
type CrossConfig struct {
	Inputs   int `json:"inputs"`
	Every    int `json:"every"`
	Layers   int `json:"layers"`
	Heads    int `json:"heads"`
	HeadDim  int `json:"head_dim"`
	Hidden   int `json:"hidden"`
	Latents  int `json:"latents"`
	Depth    int `json:"depth"`
	Features int `json:"features"`
	Media    int `json:"media"`
}

const (
	modelType     = "kuai_multimodal"
	maxProjectors = 64
)

func parseConfig(data []byte) (Config, error) {
	var c Config
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("config.json: %w", err)
	}
	if c.Type != modelType {
		return c, fmt.Errorf("config.json: model_type: %q, want %s", c.Type, modelType)
	}
	if len(c.Projectors) == 0 && c.Cross == nil {
		return c, errors.New("config.json: neither projectors nor cross")
	}
	err := errors.Join(encoder.Range("width", c.Width, 1, encoder.MaxWidth), encoder.Range("projectors", len(c.Projectors), 0, maxProjectors))
	for _, name := range slices.Sorted(maps.Keys(c.Projectors)) {
		p, at := c.Projectors[name], "projectors."+name+"."
		if p.Rows == 0 {
			p.Rows = 1
		}
		c.Projectors[name] = p
		err = errors.Join(err, encoder.Range(at+"inputs", p.Inputs, 1, encoder.MaxWidth),
			encoder.Range(at+"hidden", p.Hidden, 0, encoder.MaxWidth), encoder.Range(at+"rows", p.Rows, 1, 1024))
	}
	if c.Cross != nil {
		err = errors.Join(err, c.Cross.check(c.Width))
	}
	return c, err
}

// check fills in what was left out, and names the first field that makes no sense.
func (c *CrossConfig) check(width int) error {
	for _, f := range []struct {
		name    string
		value   *int
		absent  int
		largest int
	}{
		{"inputs", &c.Inputs, 0, encoder.MaxWidth}, {"every", &c.Every, 1, encoder.MaxLayers}, {"layers", &c.Layers, 0, encoder.MaxLayers},
		{"heads", &c.Heads, 8, 1024}, {"head_dim", &c.HeadDim, 64, 1024}, {"hidden", &c.Hidden, min(4*width, 8*encoder.MaxWidth), 8 * encoder.MaxWidth},
		{"latents", &c.Latents, 64, 4096}, {"depth", &c.Depth, 1, 64}, {"features", &c.Features, 256, encoder.MaxWidth}, {"media", &c.Media, 1, 64},
	} {
		if *f.value == 0 {
			*f.value = f.absent
		}
		if err := encoder.Range("cross."+f.name, *f.value, 1, f.largest); err != nil {
			return err
		}
	}
	return nil
}

// Model is the weights of projectors and of gated cross-attention.
type Model struct {
	Config     Config
	Projectors map[string]*Projector
	Cross      *Cross // nil: none
	file       *checkpoint.File
}

// Open loads the model of a folder. Its weights lie in the file until Close.
func Open(dir string) (*Model, error) {
	data, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		return nil, fmt.Errorf("multimodal model: %w", err)
	}
	c, err := parseConfig(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	f, err := checkpoint.Open(dir)
	if err != nil {
		return nil, err
	}
	m, err := Load(f, c)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	m.file = f
	return m, nil
}

// Close unmaps the file; nothing may be compiled of the weights after.
func (m *Model) Close() error {
	if m.file == nil {
		return nil
	}
	return m.file.Close()
}

// Load takes the weights of a configuration out of a file.
func Load(f *checkpoint.File, c Config) (*Model, error) {
	l := encoder.NewLoader(f)
	m := &Model{Config: c, Projectors: map[string]*Projector{}}
	for _, name := range slices.Sorted(maps.Keys(c.Projectors)) {
		m.Projectors[name] = loadProjector(l, name, c.Width, c.Projectors[name])
	}
	if c.Cross != nil {
		m.Cross = loadCross(l, c.Width, *c.Cross)
	}
	return m, l.Err()
}
