package embed

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kuai-robot/kuai/perception/encoder"
)

// Family tells the text encoders apart.
type Family string

// Families.
const (
	CLIP   Family = "clip"
	SigLIP Family = "siglip"
	BERT   Family = "bert"
)

// Config is the shape of a text encoder.
type Config struct {
	Family Family
	encoder.Config
	Vocabulary int
	Tokens     int // most of a sentence
	Positions  int // rows of the table of positions
	Embedding  int // length of a sentence's embedding
}

type hfText struct {
	encoder.Config
	Vocabulary int    `json:"vocab_size"`
	Positions  int    `json:"max_position_embeddings"`
	Projection int    `json:"projection_size"` // SigLIP
	Kind       string `json:"position_embedding_type"`
}

// defaults are what transformers takes for a field that is left out.
var defaults = map[Family]hfText{
	CLIP: {Config: encoder.Config{Width: 512, Hidden: 2048, Layers: 12, Heads: 8, Activation: "quick_gelu", Epsilon: 1e-5},
		Vocabulary: 49408, Positions: 77},
	SigLIP: {Config: encoder.Config{Width: 768, Hidden: 3072, Layers: 12, Heads: 12, Activation: "gelu_pytorch_tanh", Epsilon: 1e-6},
		Vocabulary: 32000, Positions: 64},
	BERT: {Config: encoder.Config{Width: 768, Hidden: 3072, Layers: 12, Heads: 12, Activation: "gelu", Epsilon: 1e-12},
		Vocabulary: 30522, Positions: 512, Kind: "absolute"},
}

// ReadConfig reads config.json of a folder, and what sentence-transformers puts
// beside it.
func ReadConfig(dir string) (Config, error) {
	data, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		return Config{}, fmt.Errorf("text encoder: %w", err)
	}
	c, err := parseConfig(data)
	if err == nil && c.Family == BERT {
		err = readSentence(dir, &c)
	}
	if err != nil {
		return c, fmt.Errorf("%s: %w", dir, err)
	}
	return c, nil
}

func parseConfig(data []byte) (Config, error) {
	outer := struct {
		Type       string          `json:"model_type"`
		Projection int             `json:"projection_dim"`
		Text       json.RawMessage `json:"text_config"`
	}{Projection: 512}
	if err := json.Unmarshal(data, &outer); err != nil {
		return Config{}, fmt.Errorf("config.json: %w", err)
	}
	at, inner := "text_config.", outer.Text
	var c Config
	switch outer.Type {
	case "clip", "siglip":
		c.Family = Family(outer.Type)
	case "bert":
		c.Family, at, inner = BERT, "", data
	case "clip_text_model":
		c.Family, at, inner = CLIP, "", data
	default:
		return c, fmt.Errorf("config.json: model_type: %q, kuai embeds text with clip, siglip and bert", outer.Type)
	}
	h := defaults[c.Family]
	if len(inner) > 0 {
		if err := json.Unmarshal(inner, &h); err != nil {
			return c, fmt.Errorf("config.json: %s: %w", at, err)
		}
	}
	c.Config, c.Vocabulary, c.Positions, c.Tokens = h.Config, h.Vocabulary, h.Positions, h.Positions
	switch c.Family {
	case CLIP:
		c.Embedding = outer.Projection
	case SigLIP:
		if c.Embedding = h.Projection; c.Embedding == 0 {
			c.Embedding = c.Width
		}
	default:
		c.Embedding = c.Width
	}
	if c.Family == BERT && h.Kind != "absolute" && h.Kind != "" {
		return c, fmt.Errorf("config.json: position_embedding_type: %q, kuai knows absolute", h.Kind)
	}
	return c, c.check(at)
}

func (c *Config) check(at string) error {
	if err := c.Config.Check(at); err != nil {
		return err
	}
	return errors.Join(
		encoder.Range(at+"vocab_size", c.Vocabulary, 1, maxVocabulary),
		encoder.Range(at+"max_position_embeddings", c.Positions, 2, encoder.MaxWidth),
		encoder.Range("projection_dim", c.Embedding, 1, encoder.MaxWidth),
	)
}

// readSentence reads how sentence-transformers pools, and how long a sentence
// it lets through; a folder without these files pools by the mean.
func readSentence(dir string, c *Config) error {
	length := struct {
		Most int `json:"max_seq_length"`
	}{c.Positions}
	pool := struct {
		Mean bool `json:"pooling_mode_mean_tokens"`
	}{true}
	for name, to := range map[string]any{"sentence_bert_config.json": &length, "1_Pooling/config.json": &pool} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = json.Unmarshal(data, to)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if !pool.Mean {
		return errors.New("1_Pooling/config.json: pooling_mode_mean_tokens: false, kuai pools by the mean")
	}
	if length.Most < 2 || length.Most > c.Positions {
		return fmt.Errorf("sentence_bert_config.json: max_seq_length: %d, want 2 to %d", length.Most, c.Positions)
	}
	c.Tokens = length.Most
	return nil
}
