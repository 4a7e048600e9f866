package vad

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/perception/encoder"
)

// Chunk is how many samples Hear takes.
const Chunk = 512

const (
	before   = 64  // samples of the chunk before that the model sees again
	mirrored = 64  // samples that are added behind
	window   = 256 // of the Fourier transform
	step     = 128
	bins     = window/2 + 1
	width    = 128
)

// Model is the detector compiled for a backend.
type Model struct {
	program      *kernels.Program
	samples      kernels.Value
	hidden, cell kernels.Value
	probability  kernels.Value
}

// Open loads the weights at path for backend.
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
	conv := func(name string, outputs, inputs, kernel int) encoder.Linear {
		return encoder.Linear{W: l.Take(name+".weight", outputs, inputs, kernel), Bias: l.Take(name+".bias", outputs)}
	}
	transform := l.Take("stft_conv.weight", 2*bins, 1, window)
	convs := []encoder.Linear{conv("conv1", width, bins, 3), conv("conv2", width/2, width, 3), conv("conv3", width/2, width/2, 3), conv("conv4", width, width/2, 3)}
	final := conv("final_conv", 1, width, 1)
	cell := kernels.LSTM{
		WX: l.Take("lstm_cell.weight_ih", 4*width, width), WH: l.Take("lstm_cell.weight_hh", 4*width, width),
		BiasX: l.Take("lstm_cell.bias_ih", 4*width), BiasH: l.Take("lstm_cell.bias_hh", 4*width),
	}
	if l.Err() != nil {
		return nil, l.Err()
	}
	g, m := kernels.NewGraph("voice activity"), &Model{}
	m.samples = g.Input("samples", kernels.F32, kernels.N(before+Chunk), kernels.N(1))
	m.hidden = g.State("hidden", kernels.F32, kernels.N(1), kernels.N(width))
	m.cell = g.State("cell", kernels.F32, kernels.N(1), kernels.N(width))
	x := g.Add(kernels.Pad{X: m.samples, Right: mirrored})
	x = g.Add(kernels.Conv1D{X: x, W: transform, Stride: step})
	x = g.Add(kernels.Binary{Kind: kernels.Hypot, X: g.Add(kernels.Slice{X: x, Axis: 1, Len: bins}), Y: g.Add(kernels.Slice{X: x, Axis: 1, Start: bins, Len: bins})})
	for i, stride := range []int{1, 2, 2, 1} {
		x = g.Add(kernels.Conv1D{X: x, W: convs[i].W, Bias: convs[i].Bias, Stride: stride, Padding: 1, Act: kernels.ReLU})
	}
	cell.X, cell.H, cell.C = x, m.hidden, m.cell
	x = g.Add(kernels.Activate{X: g.Add(cell), Act: kernels.ReLU})
	m.probability = g.Add(kernels.Conv1D{X: x, W: final.W, Bias: final.Bias, Act: kernels.Sigmoid})
	g.Output("probability", m.probability)
	var err error
	m.program, err = kernels.Compile(g, backend, kernels.Options{})
	return m, err
}

// Close frees the weights once the last session is closed.
func (m *Model) Close() error { return m.program.Close() }

// Session follows one microphone. It belongs to one goroutine at a time.
type Session struct {
	model   *Model
	kernels *kernels.Session
	last    [before]float32 // of the chunk before
}

// NewSession begins in silence.
func (m *Model) NewSession() (*Session, error) {
	k, err := m.program.NewSession()
	if err != nil {
		return nil, err
	}
	return &Session{model: m, kernels: k}, nil
}

// Close frees the memory of the session.
func (s *Session) Close() error { return s.kernels.Close() }

// Reset forgets what was heard.
func (s *Session) Reset() {
	clear(s.kernels.F32(s.model.hidden))
	clear(s.kernels.F32(s.model.cell))
	clear(s.last[:])
}

// Hear gives the probability that somebody speaks in the next Chunk samples.
func (s *Session) Hear(ctx context.Context, samples []float32) (float32, error) {
	if len(samples) != Chunk {
		return 0, fmt.Errorf("voice activity: %d samples, want %d", len(samples), Chunk)
	}
	for i, x := range samples {
		if x != x || math.IsInf(float64(x), 0) {
			return 0, fmt.Errorf("voice activity: sample %d is NaN or infinite", i)
		}
	}
	in := s.kernels.F32(s.model.samples)
	if in == nil {
		return 0, kernels.ErrClosed
	}
	copy(in, s.last[:])
	copy(in[before:], samples)
	err := s.kernels.Run(ctx)
	if errors.Is(err, kernels.ErrStatesLost) {
		err = s.kernels.Run(ctx) // as at the beginning of a stream
	}
	if err != nil {
		return 0, err
	}
	copy(s.last[:], samples[Chunk-before:])
	return s.kernels.F32(s.model.probability)[0], nil
}
