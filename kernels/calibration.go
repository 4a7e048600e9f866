package kernels

import (
	"fmt"
	"math"
	"slices"
	"sync"
)

// Calibration collects how large the inputs of products are: the data by which
// Options.Ranges is chosen. Put it into the Options of the programs of one
// model, at Float32 precision, and run them on what they will see. Its methods
// are safe for use from many goroutines.
type Calibration struct {
	mu     sync.Mutex
	inputs map[string]*observed
	tables []string
}

// Magnitudes are counted in steps of an eighth of an octave from 2^-40 on.
const (
	perOctave   = 8
	lowestPower = -40
	magnitudes  = 80 * perOctave
)

// keptRows is how many rows of each input a Calibration keeps.
const keptRows = 16

// observed is what was seen of the input of one weight's product.
type observed struct {
	top    float32
	counts [magnitudes]int64
	total  int64
	seen   int64 // rows
	rows   [][]float32
}

// watch is a product whose input a program tells.
type watch struct {
	to     *observed
	owner  *Calibration
	weight string
	input  Value
	whole  bool // a row of the value is a row of the product
}

// watch makes the inputs of all products of g outputs. A nil Calibration
// watches nothing.
func (c *Calibration) watch(g *Graph) []watch {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inputs == nil {
		c.inputs = map[string]*observed{}
	}
	var out []watch
	for _, n := range g.Nodes {
		if e, ok := n.Op.(Embed); ok && !slices.Contains(c.tables, e.Table.Name) {
			c.tables = append(c.tables, e.Table.Name)
		}
		w, x, whole := multiplied(n.Op)
		if w == nil || w.Name == "" {
			continue
		}
		to := c.inputs[w.Name]
		if to == nil {
			to = &observed{}
			c.inputs[w.Name] = to
		}
		if conv, ok := n.Op.(Conv2D); ok && g.Info(x).Type == U8 {
			to.top = max(to.top, conv.largestPixel())
			continue
		}
		if g.Info(x).Kind == Computed && !slices.Contains(g.Outputs, x) {
			g.Outputs = append(g.Outputs, x)
		}
		out = append(out, watch{to, c, w.Name, x, whole})
	}
	return out
}

// multiplied gives the weight and the input of an operator that is a product.
func multiplied(op Op) (w *Weight, x Value, whole bool) {
	switch op := op.(type) {
	case MatMul:
		return op.W, op.X, true
	case Conv1D:
		return op.W, op.X, false
	case Conv2D:
		return op.W, op.X, false
	case LSTM:
		return op.WX, op.X, true
	}
	return nil, 0, false
}

// largestPixel bounds what a convolution of bytes sees.
func (o Conv2D) largestPixel() float32 {
	top := float32(0)
	for i := range max(len(o.PixelScale), len(o.PixelShift), 1) {
		scale, shift := float32(1), float32(0)
		if o.PixelScale != nil {
			scale = o.PixelScale[i]
		}
		if o.PixelShift != nil {
			shift = o.PixelShift[i]
		}
		top = max(top, abs(shift), abs(255*scale+shift))
	}
	return top
}

func abs(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

// note adds what the session's last Run left.
func (w *watch) note(s *Session) error {
	w.owner.mu.Lock()
	defer w.owner.mu.Unlock()
	x := s.F32(w.input)
	for i, v := range x {
		a := abs(v)
		if !(a <= math.MaxFloat32) {
			return fmt.Errorf("calibration: the input of %s holds %g at place %d", w.weight, v, i)
		}
		w.to.count(a)
	}
	if !w.whole {
		return nil
	}
	cols := s.program.Graph.Shape(w.input).Cols()
	for ; len(x) >= cols; x = x[cols:] {
		w.to.keep(x[:cols])
	}
	return nil
}

func (o *observed) count(a float32) {
	o.top = max(o.top, a)
	o.total++
	bin := 0
	if a > 0 {
		bin = int(perOctave * (math.Log2(float64(a)) - lowestPower))
	}
	o.counts[min(max(bin, 0), magnitudes-1)]++
}

// keep holds on to a few rows, spread over all that come: of a row for every
// place that is taken, later ones take turns and ever fewer of them.
func (o *observed) keep(row []float32) {
	o.seen++
	if len(o.rows) < keptRows {
		o.rows = append(o.rows, slices.Clone(row))
		return
	}
	if o.seen&(o.seen-1) == 0 || o.seen%97 == 0 {
		copy(o.rows[o.seen/97%keptRows], row)
	}
}

// Names are the weights of all products, in their order.
func (c *Calibration) Names() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for name := range c.inputs {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Tables are the weights that rows are looked up in.
func (c *Calibration) Tables() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.tables)
}

// Range is the magnitude below which the given part of the input of a weight's
// product lies, as finely as an eighth of an octave; part 1 gives the largest
// itself. 0: nothing was seen, or nothing but zeros.
func (c *Calibration) Range(weight string, part float64) float32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.inputs[weight]
	if o == nil {
		return 0
	}
	if part >= 1 || o.total == 0 {
		return o.top
	}
	allowed := int64(float64(o.total) * (1 - part))
	bin, beyond := magnitudes-1, int64(0)
	for ; bin > 0; bin-- {
		if beyond += o.counts[bin]; beyond > allowed {
			break
		}
	}
	return min(o.top, float32(math.Exp2(float64(bin+1)/perOctave+lowestPower)))
}

// Ranges is Range of every weight: what Options.Ranges takes.
func (c *Calibration) Ranges(part float64) map[string]float32 {
	out := map[string]float32{}
	for _, name := range c.Names() {
		out[name] = c.Range(name, part)
	}
	return out
}

// Rows are some rows of the input of a weight's product; of a convolution none.
func (c *Calibration) Rows(weight string) [][]float32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o := c.inputs[weight]; o != nil {
		return slices.Clone(o.rows)
	}
	return nil
}
