package hearing

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/encoder"
)

// Config is the shape of the tower, and of the decoder that may follow it.
type Config struct {
	Width     int
	Bands     int // of the spectrogram
	Positions int // most embeddings of a clip; a clip has twice as many frames
	Encoder   Blocks
	Decoder   Blocks

	Vocabulary int // of the decoder
	Tokens     int // most of a text
}

// Blocks is the shape of a stack.
type Blocks struct {
	Layers, Heads, Hidden int
}

// hfConfig is config.json of transformers, as far as it is about Whisper.
type hfConfig struct {
	Type           string `json:"model_type"`
	Width          int    `json:"d_model"`
	Bands          int    `json:"num_mel_bins"`
	Positions      int    `json:"max_source_positions"`
	Tokens         int    `json:"max_target_positions"`
	Vocabulary     int    `json:"vocab_size"`
	EncoderLayers  int    `json:"encoder_layers"`
	EncoderHeads   int    `json:"encoder_attention_heads"`
	EncoderHidden  int    `json:"encoder_ffn_dim"`
	DecoderLayers  int    `json:"decoder_layers"`
	DecoderHeads   int    `json:"decoder_attention_heads"`
	DecoderHidden  int    `json:"decoder_ffn_dim"`
	Activation     string `json:"activation_function"`
	ScaleEmbedding bool   `json:"scale_embedding"`
}

// ReadConfig settles the layout of f and the shape of its model; config is the
// text of the config.json beside it, of which the layout of CTranslate2 needs
// nothing.
func ReadConfig(f *checkpoint.File, config []byte) (Config, error) {
	var c Config
	var err error
	if isCTranslate2(f) {
		c, err = fromTensors(f)
	} else {
		c, err = fromJSON(config)
	}
	if err == nil {
		err = c.check()
	}
	if err != nil {
		return c, fmt.Errorf("%s: %w", f.Path, err)
	}
	return c, nil
}

func isCTranslate2(f *checkpoint.File) bool { return f.Has("encoder/conv1/weight") }

func fromJSON(data []byte) (Config, error) {
	h := hfConfig{Activation: "gelu", Bands: 80, Positions: 1500, Tokens: 448}
	if err := json.Unmarshal(data, &h); err != nil {
		return Config{}, fmt.Errorf("config.json: %w", err)
	}
	switch {
	case h.Type != "whisper":
		return Config{}, fmt.Errorf("config.json: model_type: %q, kuai hears with whisper", h.Type)
	case h.Activation != "gelu":
		return Config{}, fmt.Errorf("config.json: activation_function: %q, Whisper has gelu", h.Activation)
	case h.ScaleEmbedding:
		return Config{}, errors.New("config.json: scale_embedding: true, Whisper has false")
	}
	return Config{
		Width: h.Width, Bands: h.Bands, Positions: h.Positions, Tokens: h.Tokens, Vocabulary: h.Vocabulary,
		Encoder: Blocks{h.EncoderLayers, h.EncoderHeads, h.EncoderHidden},
		Decoder: Blocks{h.DecoderLayers, h.DecoderHeads, h.DecoderHidden},
	}, nil
}

// fromTensors reads the shape off the tensors of CTranslate2.
func fromTensors(f *checkpoint.File) (Config, error) {
	var c Config
	var errs []error
	shape := func(name string, rank int) []int {
		t, err := f.Tensor(name)
		if err == nil && len(t.Shape) != rank {
			err = fmt.Errorf("tensor %s has shape %v, want %d dimensions", name, t.Shape, rank)
		}
		if err != nil {
			errs = append(errs, err)
			return make([]int, rank)
		}
		return t.Shape
	}
	conv := shape("encoder/conv1/weight", 3)
	c.Width, c.Bands = conv[0], conv[1]
	c.Positions = shape("encoder/position_encodings/encodings", 2)[0]
	c.Tokens = shape("decoder/position_encodings/encodings", 2)[0]
	c.Vocabulary = shape("decoder/embeddings/weight", 2)[0]
	for _, s := range []struct {
		at string
		to *Blocks
	}{{"encoder/", &c.Encoder}, {"decoder/", &c.Decoder}} {
		for f.Has(fmt.Sprintf("%slayer_%d/ffn/linear_0/weight", s.at, s.to.Layers)) {
			s.to.Layers++
		}
		if s.to.Layers > 0 {
			s.to.Hidden = shape(s.at+"layer_0/ffn/linear_0/weight", 2)[0]
		}
		t, err := f.Tensor(s.at + "num_heads")
		if err == nil && (t.DType != checkpoint.I16 || t.Len() != 1) {
			err = fmt.Errorf("tensor %s: %s of shape %v, want one 16-bit number", t.Name, t.DType, t.Shape)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		s.to.Heads = int(int16(binary.LittleEndian.Uint16(t.Data)))
	}
	return c, errors.Join(errs...)
}

func (c *Config) check() error {
	err := errors.Join(
		encoder.Range("d_model", c.Width, 1, encoder.MaxWidth),
		encoder.Range("num_mel_bins", c.Bands, 1, audio.MaxBands),
		encoder.Range("max_source_positions", c.Positions, 1, encoder.MaxWidth),
		encoder.Range("max_target_positions", c.Tokens, 8, encoder.MaxWidth),
		encoder.Range("vocab_size", c.Vocabulary, 1, 1<<22),
	)
	for _, side := range []struct {
		at string
		Blocks
	}{{"encoder_", c.Encoder}, {"decoder_", c.Decoder}} {
		err = errors.Join(err,
			encoder.Range(side.at+"layers", side.Layers, 1, encoder.MaxLayers),
			encoder.Range(side.at+"ffn_dim", side.Hidden, 1, 8*encoder.MaxWidth),
			encoder.Range(side.at+"attention_heads", side.Heads, 1, encoder.MaxWidth),
		)
		if err == nil && c.Width%side.Heads != 0 {
			err = fmt.Errorf("config.json: %sattention_heads: %d do not divide d_model %d", side.at, side.Heads, c.Width)
		}
	}
	return err
}

// Epsilon of Whisper's layer norms.
const Epsilon = 1e-5
