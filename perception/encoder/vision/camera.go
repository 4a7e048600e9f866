package vision

import (
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/robot"
)

// camera are the inputs of a program that resizes pictures itself.
type camera struct {
	most          int // pixels of a picture
	pixels, width kernels.Scalar
	across, down  kernels.Value
}

// mostTaps bounds the pixels of a row that make one of the tower's: those of a
// picture sixteen times as wide.
const mostTaps = 65

// declare adds the inputs, and gives the picture that the tower sees.
func (m *Model) declare(g *kernels.Graph, o Options) kernels.Value {
	side := kernels.N(m.config.Size)
	if o.Camera <= 0 {
		m.pixels = g.Input("pixels", kernels.U8, side, side, kernels.N(3))
		return m.pixels
	}
	c := &camera{most: max(min(o.Camera, maxPixels), m.config.Size*m.config.Size)}
	c.pixels, c.width = g.Scalar("pixels", c.most), g.Scalar("width", c.most)
	c.across = g.Input("across", kernels.I32, side, kernels.N(2+mostTaps))
	c.down = g.Input("down", kernels.I32, side, kernels.N(2+mostTaps))
	m.pixels, m.camera = g.Input("pixels", kernels.U8, c.pixels.Dim(), kernels.N(3)), c
	return g.Add(kernels.Resize{X: m.pixels, Across: c.across, Down: c.down, Width: c.width})
}

// fill puts a picture where the program reads it.
func (s *Session) fill(f *robot.Frame) error {
	if s.model.camera != nil {
		return s.fillCamera(f)
	}
	pixels := s.kernels.U8(s.model.pixels)
	if pixels == nil {
		return kernels.ErrClosed
	}
	_, err := s.resizer.Resize(pixels[:0], f)
	return err
}

// fillCamera leaves the resize to the backend, unless the picture is too large for it.
func (s *Session) fillCamera(f *robot.Frame) error {
	if err := check(f); err != nil {
		return err
	}
	c, r, size := s.model.camera, s.resizer, s.model.config.Size
	r.plan(f.Width, f.Height)
	across, down := &r.across, &r.down
	width, height := f.Width, f.Height
	large := width*height > c.most || max(across.most, down.most) > mostTaps
	if large {
		width, height = size, size
		across, down = &taps{}, &taps{}
		across.set(r.prepare.Filter, size, size, 0, size)
		down.set(r.prepare.Filter, size, size, 0, size)
	}
	s.kernels.Set(c.pixels, width*height)
	s.kernels.Set(c.width, width)
	pixels := s.kernels.U8(s.model.pixels)
	if pixels == nil {
		return kernels.ErrClosed
	}
	across.put(s.kernels.I32(c.across))
	down.put(s.kernels.I32(c.down))
	if large {
		r.resize(pixels, f.Pixels)
	} else {
		copy(pixels, f.Pixels)
	}
	return nil
}

// put writes the taps as kernels.Resize reads them.
func (t *taps) put(to []int32) {
	n := len(to) / len(t.first)
	for i := range t.first {
		row := to[i*n : (i+1)*n]
		row[0], row[1] = t.first[i], t.count[i]
		copy(row[2:], t.weights[i*t.most:i*t.most+int(t.count[i])])
	}
}
