package hearing_test

import (
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/perception/encoder"
	"github.com/kuai-robot/kuai/perception/encoder/hearing"
)

func open(t testing.TB, layout string) *checkpoint.File {
	t.Helper()
	f, err := checkpoint.Open("../testdata/" + layout)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// Fields that make no sense are named.
func TestConfigErrors(t *testing.T) {
	f := open(t, "whisper")
	for want, config := range map[string]string{
		"model_type":            `{"model_type":"bert"}`,
		"activation_function":   `{"model_type":"whisper","activation_function":"relu"}`,
		"scale_embedding":       `{"model_type":"whisper","scale_embedding":true}`,
		"d_model: 0":            `{"model_type":"whisper"}`,
		"num_mel_bins: -1":      `{"model_type":"whisper","d_model":8,"num_mel_bins":-1}`,
		"invalid character":     `x`,
		"encoder_layers: 99999": `{"model_type":"whisper","d_model":8,"vocab_size":9,"encoder_layers":99999}`,
	} {
		if _, err := hearing.ReadConfig(f, []byte(config)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that says %q", config, err, want)
		}
	}
}

// The layout of CTranslate2 has its shape in its tensors.
func TestConfigOfTensors(t *testing.T) {
	ours, err := hearing.ReadConfig(open(t, "whisper-ctranslate2"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if ours.Width < 1 || ours.Width%ours.Encoder.Heads != 0 || ours.Encoder.Layers < 1 || ours.Decoder.Layers < 1 {
		t.Errorf("%+v", ours)
	}
}

func FuzzConfig(f *testing.F) {
	file := open(f, "whisper")
	f.Add([]byte(`{"model_type":"whisper","d_model":32,"vocab_size":64,"encoder_layers":2,"encoder_attention_heads":4,"encoder_ffn_dim":64,` +
		`"decoder_layers":2,"decoder_attention_heads":4,"decoder_ffn_dim":64}`))
	f.Add([]byte(`{"model_type":"whisper","d_model":1e99}`))
	f.Fuzz(func(t *testing.T, config []byte) {
		c, err := hearing.ReadConfig(file, config)
		if err == nil && (c.Width < 1 || c.Width > encoder.MaxWidth || c.Encoder.Layers > encoder.MaxLayers || c.Width%c.Decoder.Heads != 0) {
			t.Fatalf("%+v", c)
		}
	})
}
