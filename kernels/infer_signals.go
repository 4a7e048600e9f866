package kernels

import (
	"errors"
	"fmt"
)

func (o LogPower) infer(g *Graph) (Shape, error) { return g.Shape(o.X), g.float(o.X) }

func (o Sample) infer(g *Graph) (Shape, error) {
	x, how := g.Shape(o.X), g.Info(o.How)
	if how.Kind != IsInput || how.Type != F32 || !how.Shape.Equal(Shape{N(1), N(howMany)}) {
		return nil, fmt.Errorf("operand How is %v %v, want an f32 input [1×%d]", how.Type, how.Shape, howMany)
	}
	return Shape{x.Rows(), N(1)}, errors.Join(g.float(o.X), g.index("recent", o.Recent, g.Shape(o.Recent)[0]))
}

// howMany is the length of Sample.How.
const howMany = 4

func (o Resize) infer(g *Graph) (Shape, error) {
	x := g.Info(o.X)
	if x.Kind != IsInput || x.Type != U8 || len(x.Shape) != 2 || o.Width.ID == 0 {
		return nil, fmt.Errorf("operand X is %v %v, width scalar %d; want a u8 input [pixels, channels] and a scalar", x.Type, x.Shape, o.Width.ID)
	}
	for _, v := range []Value{o.Across, o.Down} {
		if taps := g.Info(v); taps.Kind != IsInput || taps.Type != I32 || len(taps.Shape) != 2 || !taps.Shape[0].Static() || taps.Shape.Cols() < 3 {
			return nil, fmt.Errorf("weights are %v %v, want a static i32 input [pixels, 2 and the weights]", taps.Type, taps.Shape)
		}
	}
	return Shape{g.Shape(o.Down)[0], g.Shape(o.Across)[0], x.Shape[1]}, nil
}

// checkTaps says what is wrong with the weights of a Resize.
func (o Resize) checkTaps(s *Session) error {
	g := s.program.Graph
	width := s.Get(o.Width)
	if width < 1 {
		return fmt.Errorf("rows of %d pixels", width)
	}
	for _, side := range []struct {
		taps  Value
		limit int
	}{{o.Across, width}, {o.Down, g.Shape(o.X)[0].At(&s.scalars) / width}} {
		n := g.Shape(side.taps).Cols()
		all := s.I32(side.taps)
		for i := 0; i < len(all); i += n {
			if err := checkTap(all[i:i+n], side.limit); err != nil {
				return fmt.Errorf("%s[%d]: %w", g.Info(side.taps).Name, i/n, err)
			}
		}
	}
	return nil
}

func checkTap(tap []int32, limit int) error {
	first, count, weights := int(tap[0]), int(tap[1]), tap[2:]
	if first < 0 || count < 0 || count > len(weights) || first+count > limit {
		return fmt.Errorf("pixels %d to %d, want at most %d of 0 to %d", first, first+count, len(weights), limit)
	}
	sum := int64(0)
	for _, w := range weights[:count] {
		sum += max(int64(w), -int64(w))
	}
	if sum > 2<<ResizeBits {
		return fmt.Errorf("weights whose magnitudes add up to %g, want at most 2", float64(sum)/(1<<ResizeBits))
	}
	return nil
}
