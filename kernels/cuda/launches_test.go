package cuda_test

import (
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cuda"
	"github.com/kuai-robot/kuai/kernels/cuda/roofline"
)

// TestLaunchesOfModels counts the launches of a layer of real models, and that a forward
// is one recording: one CUDA graph. Six are the bar for a layer of one attention whose
// norms come before its products. More have those that norm what comes out of a product
// (BERT 7, Gemma 13: it norms queries and keys as well) and those with a second
// attention (8: three for each, and two).
func TestLaunchesOfModels(t *testing.T) {
	for name, want := range map[string]struct {
		forwards int
		layers   map[string]int // launches of a layer by the name of the graph
	}{
		"clip":    {1, map[string]int{"clip image": 5}},
		"siglip":  {1, map[string]int{"siglip image": 5}},
		"whisper": {0, map[string]int{"whisper encode": 5, "whisper decode": 8}}, // as many as it has tokens
		"sound":   {0, map[string]int{"whisper encode": 5, "whisper decode": 8}},
		"bert":    {2, map[string]int{"bert text": 7}},
		"llama":   {4, map[string]int{"llama next": 6}},
		"qwen2":   {4, map[string]int{"qwen2 next": 6}},
		"gemma3":  {4, map[string]int{"gemma3 next": 13}},
		"vad":     {3, nil},
	} {
		for _, card := range roofline.Cards {
			paper := roofline.NewPaper(card)
			models[name](t, cuda.NewBackend("cuda", paper), kernels.Options{Precision: kernels.BFloat16})
			runs := paper.Runs()
			if want.forwards > 0 && len(runs) != want.forwards {
				t.Errorf("%s: %d forwards are %d recordings", name, want.forwards, len(runs))
			}
			got := map[string]int{}
			for _, launches := range runs {
				graph, n := ofLayer(launches)
				got[graph] = n
			}
			for graph, most := range want.layers {
				if got[graph] != most {
					t.Errorf("%s on %s: a layer of graph %q is %d launches, want %d (of %v)", name, card.Name, graph, got[graph], most, got)
				}
			}
		}
	}
}

// ofLayer counts from the first product of the first layer to that of the second,
// without the table of angles, which all layers share.
func ofLayer(launches []cuda.Command) (graph string, n int) {
	first := -1
	for i, c := range launches {
		graph, _, _ = strings.Cut(c.Op, ": ")
		switch {
		case first < 0 && (strings.Contains(c.Op, "layers.0.") || strings.Contains(c.Op, "layer.0.")):
			first = i
		case first >= 0 && c.Kernel == "rope_table":
			n--
		case first >= 0 && (strings.Contains(c.Op, "layers.1.") || strings.Contains(c.Op, "layer.1.")):
			return graph, n + i - first
		}
	}
	return graph, 0
}
