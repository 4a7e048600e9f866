package vision

import (
	"context"
	"errors"
	"fmt"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/robot"
)

// Options of a model; the zero value computes with the weights as stored.
type Options struct {
	Compile kernels.Options
	// Camera is the number of pixels of the largest picture that the backend resizes
	// itself, which spares a GPU's host the work; larger ones, and all if it is 0, are
	// resized before. The pixels are the same.
	Camera int
}

// Model is a tower compiled for a backend. It is safe for use from many
// goroutines.
type Model struct {
	config            Config
	program           *kernels.Program
	pixels            kernels.Value
	camera            *camera // nil: pixels are those of the resized picture
	hidden, embedding kernels.Value
}

// Open loads the image tower of a folder for backend.
func Open(dir string, backend kernels.Backend, o Options) (*Model, error) {
	c, err := ReadConfig(dir)
	if err != nil {
		return nil, err
	}
	f, err := checkpoint.Open(dir)
	if err != nil {
		return nil, err
	}
	t, err := Load(f, c)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	m, err := New(t, backend, o)
	return m, errors.Join(err, f.Close())
}

// New compiles a tower; its weights are not read again after.
func New(t *Tower, backend kernels.Backend, o Options) (*Model, error) {
	c := t.Config
	g := kernels.NewGraph(string(c.Family) + " image")
	m := &Model{config: c}
	seen := m.declare(g, o)
	m.hidden, m.embedding = t.Build(g, seen)
	g.Output("hidden", m.hidden)
	g.Output("embedding", m.embedding)
	var err error
	if m.program, err = kernels.Compile(g, backend, o.Compile); err != nil {
		return nil, err
	}
	return m, nil
}

// Config is the shape of the tower.
func (m *Model) Config() Config { return m.config }

// Close frees the weights once the last session is closed.
func (m *Model) Close() error { return m.program.Close() }

// Session is one user of a model. It belongs to one goroutine at a time.
type Session struct {
	model   *Model
	kernels *kernels.Session
	resizer *Resizer
}

// NewSession allocates the memory of one more user.
func (m *Model) NewSession() (*Session, error) {
	k, err := m.program.NewSession()
	if err != nil {
		return nil, err
	}
	return &Session{model: m, kernels: k, resizer: NewResizer(m.config.Preprocess)}, nil
}

// Close frees the memory of the session.
func (s *Session) Close() error { return s.kernels.Close() }

// Encode gives the embedding of a picture, of unit length; valid until the
// session is used again.
func (s *Session) Encode(ctx context.Context, f *robot.Frame) ([]float32, error) {
	if err := s.fill(f); err != nil {
		return nil, err
	}
	if err := s.kernels.Run(ctx); err != nil {
		return nil, err
	}
	return s.kernels.F32(s.model.embedding), nil
}

// Hidden gives the last hidden states of the picture that Encode saw, [tokens,
// width] row by row; valid until the session is used again.
func (s *Session) Hidden() []float32 { return s.kernels.F32(s.model.hidden) }

func check(f *robot.Frame) error {
	what := "picture"
	if f.Camera != "" {
		what = "camera " + f.Camera + ": picture"
	}
	switch {
	case f.Width < 1 || f.Height < 1:
		return fmt.Errorf("%s of %d×%d pixels: it is empty", what, f.Width, f.Height)
	case f.Width > maxPixels/f.Height:
		return fmt.Errorf("%s of %d×%d pixels: more than %d million (scale it down first)", what, f.Width, f.Height, maxPixels>>20)
	case len(f.Pixels) != 3*f.Width*f.Height:
		return fmt.Errorf("%s of %d×%d pixels has %d bytes, want %d of RGB", what, f.Width, f.Height, len(f.Pixels), 3*f.Width*f.Height)
	}
	return nil
}
