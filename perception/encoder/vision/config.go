package vision

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kuai-robot/kuai/perception/encoder"
)

// Family tells the towers apart.
type Family string

// Families.
const (
	CLIP   Family = "clip"
	SigLIP Family = "siglip"
)

// Config is the shape of a tower.
type Config struct {
	Family Family
	encoder.Config
	Size       int // of the square picture, pixels
	Patch      int // side of a patch, pixels
	Embedding  int // length of a picture's embedding
	Preprocess Preprocess
}

// Patches is how many patches a picture has.
func (c *Config) Patches() int { return (c.Size / c.Patch) * (c.Size / c.Patch) }

// hfVision is vision_config; hfConfig what is around it.
type hfVision struct {
	encoder.Config
	Type       string `json:"model_type"`
	Size       int    `json:"image_size"`
	Patch      int    `json:"patch_size"`
	Channels   int    `json:"num_channels"`
	Projection int    `json:"projection_dim"`
}

// defaults are what transformers takes for a field that is left out.
var defaults = map[Family]hfVision{
	CLIP: {Config: encoder.Config{Width: 768, Hidden: 3072, Layers: 12, Heads: 12, Activation: "quick_gelu", Epsilon: 1e-5},
		Size: 224, Patch: 32, Channels: 3, Projection: 512},
	SigLIP: {Config: encoder.Config{Width: 768, Hidden: 3072, Layers: 12, Heads: 12, Activation: "gelu_pytorch_tanh", Epsilon: 1e-6},
		Size: 224, Patch: 16, Channels: 3},
}

// ReadConfig reads config.json and preprocessor_config.json of a folder. A
// folder without the latter is prepared as the family usually is.
func ReadConfig(dir string) (Config, error) {
	path := filepath.Join(dir, "config.json")
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("vision tower: %w", err)
	}
	c, err := parseConfig(data)
	if err != nil {
		return c, fmt.Errorf("%s: %w", dir, err)
	}
	data, err = os.ReadFile(filepath.Join(dir, "preprocessor_config.json"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return c, fmt.Errorf("vision tower: %w", err)
	}
	if c.Preprocess, err = parsePreprocess(data, c.Family, c.Size); err != nil {
		return c, fmt.Errorf("%s: %w", dir, err)
	}
	return c, nil
}

func parseConfig(data []byte) (Config, error) {
	var outer struct {
		Type       string          `json:"model_type"`
		Projection int             `json:"projection_dim"`
		Vision     json.RawMessage `json:"vision_config"`
	}
	if err := json.Unmarshal(data, &outer); err != nil {
		return Config{}, fmt.Errorf("config.json: %w", err)
	}
	var c Config
	at, inner := "vision_config.", outer.Vision
	switch outer.Type {
	case "clip", "siglip":
		c.Family = Family(outer.Type)
	case "clip_vision_model":
		c.Family, at, inner = CLIP, "", data
	case "siglip_vision_model":
		c.Family, at, inner = SigLIP, "", data
	default:
		return c, fmt.Errorf("config.json: model_type: %q, kuai sees with clip and siglip", outer.Type)
	}
	h := defaults[c.Family]
	if outer.Projection != 0 {
		h.Projection = outer.Projection
	}
	if len(inner) > 0 {
		kept := h.Projection
		if err := json.Unmarshal(inner, &h); err != nil {
			return c, fmt.Errorf("config.json: %s: %w", at, err)
		}
		if at != "" {
			h.Projection = kept // vision_config repeats the field, the outer one counts
		}
	}
	c.Config, c.Size, c.Patch, c.Embedding = h.Config, h.Size, h.Patch, h.Projection
	least := 1
	if c.Family == SigLIP { // it has no projection
		c.Embedding, least = c.Width, 0
	}
	return c, errors.Join(h.check(at), encoder.Range("projection_dim", h.Projection, least, encoder.MaxWidth))
}

const maxSize = 4096

func (h *hfVision) check(at string) error {
	if err := h.Config.Check(at); err != nil {
		return err
	}
	return errors.Join(
		encoder.Range(at+"image_size", h.Size, 1, maxSize),
		encoder.Range(at+"patch_size", h.Patch, 1, max(1, h.Size)),
		encoder.Range(at+"num_channels", h.Channels, 3, 3),
	)
}
