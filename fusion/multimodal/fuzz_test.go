package multimodal

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
)

// Whatever the two files hold, it is an error or a model whose graphs are sound.
func FuzzLoad(f *testing.F) {
	config, err := os.ReadFile(filepath.Join("testdata", "tiny", "config.json"))
	if err != nil {
		f.Fatal(err)
	}
	weights, err := os.ReadFile(filepath.Join("testdata", "tiny", "model.safetensors"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(config, weights)
	f.Add(config, weights[:len(weights)/2])
	f.Add([]byte(`{"model_type":"kuai_multimodal","width":16,"projectors":{"state":{"inputs":7,"hidden":12,"rows":2}}}`), weights)
	f.Add([]byte(`{"model_type":"kuai_multimodal","width":16,"cross":{"inputs":12,"layers":1,"heads":2,"head_dim":8,"latents":3}}`), weights)
	f.Add([]byte(`{"model_type":"kuai_multimodal","width":-1,"cross":{}}`), []byte{})
	f.Fuzz(func(t *testing.T, config, weights []byte) {
		c, err := parseConfig(config)
		if err != nil {
			return
		}
		file, err := checkpoint.ParseSafetensors(weights)
		if err != nil {
			return
		}
		m, err := Load(file, c)
		if err != nil {
			return
		}
		g := kernels.NewGraph("fuzz")
		rows, at := g.Scalar("rows", 8), g.Scalar("at", 8)
		for name, p := range m.Projectors {
			p.Build(g, g.Input(name, kernels.F32, rows.Dim(), kernels.N(p.Config.Inputs)))
		}
		if x := m.Cross; x != nil {
			x.Watch(g, g.Input("features", kernels.F32, rows.Dim(), kernels.N(x.Config.Inputs)), at, kernels.F32)
		}
		if g.Err() != nil {
			t.Errorf("%+v: %v", c, g.Err())
		}
	})
}
