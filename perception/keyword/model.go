package keyword

import (
	"errors"
	"fmt"
	"slices"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/encoder"
	"github.com/kuai-robot/kuai/robot"
)

// The network's shape, as train/voice/detector.py has it.
const (
	bands  = 64
	rows   = 2  // that a step is about
	window = 22 // rows that its convolutions see
	width  = 96

	// step is how many samples a step takes, heard how many it computes with.
	step  = rows * audio.Hop
	heard = audio.Window + audio.Hop
)

// words are the classes of the network after class 0, none of them.
var words = []string{"stop", "halt", "freeze", "wait", "停", "停下", "停止", "别动", "kuai", "hey kuai", "hey robot"}

// Words gives all words that the built-in weights know.
func Words() []string { return slices.Clone(words) }

// Model is the network compiled for a backend.
type Model struct {
	program     *kernels.Program
	rows        kernels.Value
	states      []kernels.Value
	probability kernels.Value
}

// Open loads the weights at path, a safetensors file, for backend.
func Open(path string, backend kernels.Backend) (*Model, error) {
	f, err := checkpoint.Open(path)
	if err != nil {
		return nil, err
	}
	m, err := load(f, backend)
	return m, errors.Join(err, f.Close())
}

func load(f *checkpoint.File, backend kernels.Backend) (*Model, error) {
	l := encoder.NewLoader(f)
	convs := []kernels.Conv1D{conv(l, 0, bands, 6), conv(l, 1, width, 5), conv(l, 2, width, 5)}
	convs[0].Stride = rows
	cell := kernels.LSTM{
		WX: l.Take("lstm.weight_ih", 4*width, width), WH: l.Take("lstm.weight_hh", 4*width, width),
		BiasX: l.Take("lstm.bias_ih", 4*width), BiasH: l.Take("lstm.bias_hh", 4*width),
	}
	out := l.Linear("out", len(words)+1, width)
	if l.Err() != nil {
		return nil, l.Err()
	}
	g, m := kernels.NewGraph("keyword"), &Model{}
	m.rows = g.Input("rows", kernels.F32, kernels.N(window), kernels.N(bands))
	x := m.rows
	for _, c := range convs {
		c.X = x
		x = g.Add(c)
	}
	cell.H = g.State("hidden", kernels.F32, kernels.N(1), kernels.N(width))
	cell.C = g.State("cell", kernels.F32, kernels.N(1), kernels.N(width))
	cell.X, m.states = x, []kernels.Value{cell.H, cell.C}
	x = g.Add(cell)
	m.probability = g.Add(kernels.Softmax{X: out.Apply(g, x, kernels.Identity)})
	g.Output("probability", m.probability)
	var err error
	m.program, err = kernels.Compile(g, backend, kernels.Options{Precision: kernels.Float32})
	return m, err
}

func conv(l *encoder.Loader, layer, inputs, kernel int) kernels.Conv1D {
	at := fmt.Sprintf("conv.%d.", layer)
	return kernels.Conv1D{W: l.Take(at+"weight", width, inputs, kernel), Bias: l.Take(at+"bias", width), Act: kernels.ReLU}
}

// Close frees the weights once the last detector is closed.
func (m *Model) Close() error { return m.program.Close() }

// Group is words that mean the same to the robot.
type Group struct {
	Name string
	// Words are some of those of package function Words.
	Words []string
	// Threshold is how probable it must be that one of them was said, above 0 and
	// below 1.
	Threshold float32
	// Again are further thresholds, rising: the same word is reported once more
	// when it has become so much more probable. May be empty.
	Again []float32
}

// Thresholds; docs/models-voice.md has what others would give.
const (
	StopThreshold = 0.5
	WakeThreshold = 0.6
)

// Stop is the group that stops the robot, in English and Mandarin. 停 by itself is
// left out: one syllable, which only its tone tells from 听 and 挺.
func Stop() Group {
	return Group{Name: "stop", Words: []string{"stop", "halt", "freeze", "停下", "停止", "别动"}, Threshold: StopThreshold}
}

// Wake is the group that makes the robot listen.
func Wake() Group {
	return Group{Name: "wake", Words: []string{"hey kuai", "hey robot"}, Threshold: WakeThreshold}
}

// classes gives the classes of a group's words, or what is wrong with it.
func (g *Group) classes() ([]int, error) {
	if !(g.Threshold > 0 && g.Threshold < 1) {
		return nil, fmt.Errorf("words of %q: threshold %g, want more than 0 and less than 1", g.Name, g.Threshold)
	}
	for i, least := 0, g.Threshold; i < len(g.Again); i++ {
		if !(g.Again[i] > least && g.Again[i] < 1) {
			return nil, fmt.Errorf("words of %q: again %g, want more than %g and less than 1", g.Name, g.Again[i], least)
		}
		least = g.Again[i]
	}
	if len(g.Words) == 0 {
		return nil, fmt.Errorf("words of %q: none given", g.Name)
	}
	var classes []int
	for _, w := range g.Words {
		i := slices.Index(words, w)
		if i < 0 {
			return nil, fmt.Errorf("words of %q: %q is not one that was trained (did you mean %q? there is %q)", g.Name, w, robot.Nearest(w, words), words)
		}
		if slices.Contains(classes, i+1) {
			return nil, fmt.Errorf("words of %q: %q is given twice", g.Name, w)
		}
		classes = append(classes, i+1)
	}
	return classes, nil
}
