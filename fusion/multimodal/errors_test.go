package multimodal_test

import (
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/fusion/multimodal"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/ref"
)

// changed is the fixture with one text of one file replaced.
func changed(t *testing.T, name, old, by string) string {
	t.Helper()
	dir := t.TempDir()
	for _, file := range []string{"config.json", "model.safetensors"} {
		data, err := os.ReadFile(filepath.Join(fixture, file))
		if err != nil {
			t.Fatal(err)
		}
		if file == name {
			if !strings.Contains(string(data), old) {
				t.Fatalf("%s has no %s", name, old)
			}
			data = []byte(strings.Replace(string(data), old, by, 1))
		}
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// spoiled has NaN for the first number of the first tensor's data.
func spoiled(t *testing.T) string {
	t.Helper()
	dir := changed(t, "config.json", "{", "{")
	path := filepath.Join(dir, "model.safetensors")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint32(data[8+binary.LittleEndian.Uint64(data):], math.Float32bits(float32(math.NaN())))
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestOpenErrors(t *testing.T) {
	const config, weights = "config.json", "model.safetensors"
	for _, c := range []struct{ dir, want string }{
		{t.TempDir(), "config.json"},
		{changed(t, config, "{", "<"), "config.json: invalid character"},
		{changed(t, config, "kuai_multimodal", "flamingo"), `model_type: "flamingo"`},
		{changed(t, config, `"width": 16`, `"width": 0`), "width: 0"},
		{changed(t, config, `"width": 16`, `"width": 17`), "has shape"},
		{changed(t, config, `"projectors"`, `"a"`), ""},
		{changed(t, config, `"inputs": 24`, `"inputs": -1`), "projectors.image.inputs: -1"},
		{changed(t, config, `"inputs": 24`, `"inputs": 25`), "tensor projectors.image.linear1.weight has shape [40 24]"},
		{changed(t, config, `"hidden": 40`, `"hidden": 0`), "tensor projectors.image.linear1.weight has shape [40 24]"},
		{changed(t, config, `"rows": 2`, `"rows": 3`), "tensor projectors.state.linear2.weight has shape [32 12]"},
		{changed(t, config, `"rows": 2`, `"rows": 2000`), "projectors.state.rows: 2000"},
		{changed(t, config, `"heads": 2`, `"heads": 3`), "has shape [16 12]"},
		{changed(t, config, `"latents": 3`, `"latents": 4`), "tensor cross.latents has shape [3 12]"},
		{changed(t, config, `"layers": 2`, `"layers": 3`), "no tensor cross.layers.2.norm.weight"},
		{changed(t, config, `"depth": 2`, `"depth": 3`), "no tensor cross.perceiver.2.norm_media.weight"},
		{changed(t, config, `"media": 3`, `"media": 65`), "cross.media: 65"},
		{changed(t, weights, "cross.layers.1.gate", "cross.layers.1.gaze"), "no tensor cross.layers.1.gate"},
		{spoiled(t), "is NaN or infinite"},
	} {
		m, err := multimodal.Open(c.dir)
		switch {
		case c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("error %v, want one that says %q", err, c.want)
		case err == nil:
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// Cross-attention that was made for another decoder is refused.
func TestCrossOfAnotherDecoder(t *testing.T) {
	m, err := multimodal.Open(fixture)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, err = generate.Open("../testdata/tiny/gemma3/model.gguf", ref.New(), generate.Options{Cross: m.Cross})
	if err == nil || !strings.Contains(err.Error(), "2 layers, this one has width 16 and 6") {
		t.Errorf("%v", err)
	}
}

func TestProjectErrors(t *testing.T) {
	m, err := multimodal.Open(fixture)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	p, err := m.Compile(ref.New(), kernels.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for want, c := range map[string]struct {
		name string
		rows []float32
	}{
		`called "smell", there are [image sound state]`: {"smell", nil},
		"state: 0 numbers":                {"state", nil},
		"state: 8 numbers, want 1 to 409": {"state", make([]float32, 8)},
		"state: number 3 is NaN":          {"state", []float32{0, 0, 0, float32(math.Inf(1)), 0, 0, 0}},
	} {
		if _, err := p.Project(context.Background(), c.name, c.rows); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}

// letters is a tokenizer of bytes.
type letters struct{}

func (letters) Encode(text string) (ids []int32) {
	for _, b := range []byte(text) {
		ids = append(ids, int32(b))
	}
	return ids
}

func TestInterleave(t *testing.T) {
	image, second := multimodal.Part{Embeddings: []float32{1}}, multimodal.Part{Embeddings: []float32{2}}
	medium := multimodal.Part{Medium: []float32{3}}
	text := func(s string) multimodal.Part { return multimodal.Part{Tokens: letters{}.Encode(s)} }
	for _, c := range []struct {
		text string
		fill multimodal.Fill
		want []multimodal.Part
	}{
		{"ab", nil, []multimodal.Part{text("ab")}},
		{"a<i>b", multimodal.Fill{"<i>": {image}}, []multimodal.Part{text("a"), image, text("b")}},
		{"<i><i>b", multimodal.Fill{"<i>": {image, second}}, []multimodal.Part{image, second, text("b")}},
		{"<i2>x<i>", multimodal.Fill{"<i>": {image}, "<i2>": {medium}, "<i": nil}, []multimodal.Part{medium, text("x"), image}},
	} {
		got, err := multimodal.Interleave(letters{}, c.text, c.fill)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: %v, %v", c.text, got, err)
		}
	}
	for want, c := range map[string]struct {
		text string
		fill multimodal.Fill
	}{
		"the text is empty":           {"", nil},
		"more than the 1 times":       {"<i><i>", multimodal.Fill{"<i>": {image}}},
		"1 times, and there are 2":    {"<i>", multimodal.Fill{"<i>": {image, second}}},
		"more than the 0 times that ": {"<i>", multimodal.Fill{"<i>": nil}},
	} {
		if _, err := multimodal.Interleave(letters{}, c.text, c.fill); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one that says %q", c.text, err, want)
		}
	}
}
