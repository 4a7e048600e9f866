package cuda

import (
	"github.com/kuai-robot/kuai/kernels"
)

// product is one or more matrix products of one input.
type product struct {
	x        value
	rows     kernels.Dim
	cols, ld int // the inputs; from row to row
	norm     *normOf
	kind     kernels.DType // of the packed weights
	limit    float32       // of Int8, as calibrated
	partial  value         // scratch for the parts of split products
	segments []*segment
}

// segment is one matrix of a product, or two of which one gates the other, and
// what was taken in: to = act(x·wᵀ+bias)[·(x·w2ᵀ+bias2)] + residual.
type segment struct {
	node        int
	x           value // as the graph has it: before a norm is taken in
	rows        kernels.Dim
	cols, ld    int
	key, key2   packKey
	bias, bias2 []float32
	act         kernels.Activation
	residual    value
	value       value // the graph's name of the result
	to          value // where it goes: value, or a state
	row         kernels.Scalar
	state       *stateUse
	matrices    int
	limit       float32
	w, w2       cMatrix // on the device
	onDevice    struct{ bias, bias2 Ptr }
}

// products makes all matrix products and fuses what stands around them.
func (l *lowering) products() {
	var segments []*segment
	for i, n := range l.Nodes {
		switch op := n.Op.(type) {
		case kernels.MatMul:
			rows, cols := l.size(op.X)
			segments = append(segments, l.segment(i, op.W, op.Bias, op.Act, op.Residual, n.Out, op.X, rows, cols, l.ld(op.X), false))
		case kernels.Conv1D:
			segments = append(segments, l.conv1D(i, op, n.Out))
		case kernels.Conv2D:
			segments = append(segments, l.conv2D(i, op, n.Out))
		case kernels.Slice, kernels.Reshape:
			l.view(i, n) // so that products read the view
		}
	}
	segments = l.gates(segments)
	products := l.groups(segments)
	l.takeNorms(products)
	for _, p := range products {
		l.addProduct(p)
	}
}

func (l *lowering) ld(v value) int { return l.places[v].ld }

// segment makes a product and lets it take in what follows.
func (l *lowering) segment(node int, w, bias *kernels.Weight, act kernels.Activation, residual, out, x value, rows kernels.Dim, cols, ld int, windows bool) *segment {
	l.done[node] = true
	s := &segment{
		node: node, x: x, rows: rows, cols: cols, ld: ld, act: act, residual: residual, value: out, to: out, matrices: 1,
		key: packKey{w, kindOf(w, l.options.Of(w), windows), windows},
	}
	if bias != nil {
		s.bias = bias.Float32()
	}
	if s.key.kind == kernels.I8 {
		s.limit = l.options.Range(w)
	}
	l.absorb(s)
	return s
}

// absorb takes in the only reader of the result as long as it can.
func (l *lowering) absorb(s *segment) {
	for {
		u := l.onlyReader(s.value)
		if u < 0 || l.done[u] || s.state != nil || !l.take(s, u) {
			return
		}
		l.done[u] = true
		s.value = l.Nodes[u].Out
		if s.state == nil {
			s.to = s.value
		}
	}
}

// onlyReader is the node that alone reads v, -1 where there is not just one.
func (l *lowering) onlyReader(v value) int {
	if int(v) >= len(l.readers) || l.output[v] || len(l.readers[v]) != 1 {
		return -1
	}
	return l.readers[v][0]
}

func (l *lowering) take(s *segment, u int) bool {
	switch op := l.Nodes[u].Op.(type) {
	case kernels.Activate:
		return s.takeAct(op.Act)
	case kernels.Binary:
		return op.Kind == kernels.Add && l.takeSum(s, op)
	case kernels.Store:
		if l.touched[op.State] > 1 {
			return false
		}
		s.to, s.row, s.state = op.State, op.At, &stateUse{State: op.State, Node: u}
		l.places[l.Nodes[u].Out] = l.places[op.State]
		return true
	}
	return false
}

func (s *segment) takeAct(act kernels.Activation) bool {
	if s.act != kernels.Identity || s.residual != 0 || s.matrices > 1 {
		return false
	}
	s.act = act
	return true
}

// takeSum takes in a bias or a residual.
func (l *lowering) takeSum(s *segment, op kernels.Binary) bool {
	other := op.Y
	if op.X != s.value {
		other = op.X
		if op.Act != kernels.Identity {
			return false // of the other operand
		}
	}
	plain := s.act == kernels.Identity && s.residual == 0 && s.matrices == 1
	if op.Act != kernels.Identity && !plain {
		return false
	}
	rows, cols := l.size(s.value)
	otherRows, otherCols := l.size(other)
	if c := l.consts[other]; c != nil && len(c) == cols && otherCols == cols && s.bias == nil && plain &&
		op.Act == kernels.Identity && (op.Y == other || rows == otherRows) {
		s.bias = c
		return true
	}
	if s.residual != 0 || rows != otherRows || cols != otherCols {
		return false
	}
	if op.Act != kernels.Identity {
		s.act = op.Act
	}
	s.residual = other
	return true
}

// gates joins the two products of a gated linear unit.
func (l *lowering) gates(segments []*segment) []*segment {
	by := map[value]*segment{}
	for _, s := range segments {
		by[s.value] = s
	}
	var out []*segment
	gone := map[*segment]bool{}
	for u, n := range l.Nodes {
		op, ok := n.Op.(kernels.Binary)
		if !ok || op.Kind != kernels.Mul || l.done[u] || op.X == op.Y {
			continue
		}
		a, b := by[op.X], by[op.Y]
		if a == nil || b == nil || !l.gate(u, a, b, op.Act) {
			continue
		}
		gone[b] = true
		a.value, a.to = n.Out, n.Out
		l.done[u] = true
		l.absorb(a)
	}
	for _, s := range segments {
		if !gone[s] {
			out = append(out, s)
		}
	}
	return out
}

// gate makes b the second matrix of a, if act(a)·b is all that becomes of them.
func (l *lowering) gate(u int, a, b *segment, act kernels.Activation) bool {
	switch {
	case l.onlyReader(a.value) != u || l.onlyReader(b.value) != u:
		return false
	case a.matrices+b.matrices > 2 || a.residual+b.residual != 0 || a.state != nil || b.state != nil:
		return false
	case a.x != b.x || a.key.windows || b.key.windows || a.key.w.Rows() != b.key.w.Rows():
		return false
	case a.key.kind != b.key.kind || a.limit != b.limit:
		return false
	case b.act != kernels.Identity || a.act != kernels.Identity && act != kernels.Identity:
		return false
	}
	if act != kernels.Identity {
		a.act = act
	}
	a.key2, a.bias2, a.matrices = b.key, b.bias, 2
	a.node = min(a.node, b.node)
	return true
}

// groups joins segments of one input and format, in the order of their nodes.
func (l *lowering) groups(segments []*segment) []*product {
	type groupKey struct {
		x     value
		kind  kernels.DType
		limit float32
	}
	open := map[groupKey]*product{}
	var out []*product
	for _, s := range segments {
		key := groupKey{s.x, s.key.kind, s.limit}
		p := open[key]
		if p == nil || s.key.windows || len(p.segments) == mostSegments || !l.before(s.residual, p.segments[0].node) {
			p = &product{x: s.x, rows: s.rows, cols: s.cols, ld: s.ld, kind: key.kind, limit: s.limit}
			out = append(out, p)
			// What comes later may be what this segment waits for.
			if !s.key.windows && l.before(s.residual, s.node) {
				open[key] = p
			}
		}
		p.segments = append(p.segments, s)
	}
	return out
}

// before says whether v is known before a node runs.
func (l *lowering) before(v value, node int) bool { return v == 0 || l.info(v).Node < node }

// takeNorms lets products normalise their rows, if only products read the norm.
func (l *lowering) takeNorms(products []*product) {
	matrices := map[value]int{}
	for _, p := range products {
		for _, s := range p.segments {
			if !s.key.windows {
				matrices[p.x] += s.matrices
			}
		}
	}
	for _, p := range products {
		info := l.info(p.x)
		if info.Kind != kernels.Computed || info.Node < 0 || l.output[p.x] || matrices[p.x] != len(l.readers[p.x]) {
			continue
		}
		norm, ok := l.Nodes[info.Node].Op.(kernels.Norm)
		if !ok || norm.Groups > 1 {
			continue
		}
		l.done[info.Node] = true
		p.norm, p.x, p.ld = newNorm(norm), norm.X, l.ld(norm.X)
	}
}

func (l *lowering) addProduct(p *product) {
	o := l.add(p.segments[0].node, p, "MatMul "+p.segments[0].key.w.Name, []value{p.x}, nil)
	for _, s := range p.segments {
		l.made[s.value] = p
		if s.residual != 0 {
			o.reads = append(o.reads, s.residual)
		}
		if s.state != nil {
			o.states = append(o.states, *s.state)
		} else {
			o.writes = append(o.writes, s.to)
		}
	}
	if bytes := p.partialBytes(l.device); bytes > 0 {
		p.partial = l.buffer(bytes)
		o.scratch = append(o.scratch, p.partial)
	}
}

// conv1D is a product of overlapping rows: a window is kernel frames, one after
// the other, stride frames from the next.
func (l *lowering) conv1D(node int, op kernels.Conv1D, out value) *segment {
	rows, channels := l.size(op.X)
	x := l.whole(node, op.X)
	if left := op.Left + op.Padding; left+op.Padding > 0 {
		padded := l.temp(rows.Plus(left+op.Padding), channels)
		l.add(node, &padRows{from: x, to: padded, left: left}, "Pad", []value{x}, []value{padded})
		x = padded
	}
	frames, _ := l.size(out)
	return l.segment(node, op.W, op.Bias, op.Act, 0, out, x, frames, op.W.Cols(), max(1, op.Stride)*channels, true)
}

// conv2D gathers the windows first.
func (l *lowering) conv2D(node int, op kernels.Conv2D, out value) *segment {
	rows, _ := l.size(out)
	if l.info(op.X).Type == kernels.F32 {
		op.X = l.whole(node, op.X)
	}
	x, width := l.temp(rows, op.W.Cols()), l.info(out).Shape[1].Max()
	w := windows{Conv2D: op, to: x, wide: width}
	if from, ok := l.takeResize(op); ok {
		l.add(node, &resizeWindows{w, from}, "Resize, Conv2D "+op.W.Name, []value{from.X, from.Across, from.Down}, []value{x})
	} else {
		l.add(node, &w, "Conv2D "+op.W.Name, []value{op.X}, []value{x})
	}
	return l.segment(node, op.W, op.Bias, op.Act, 0, out, x, rows, op.W.Cols(), op.W.Cols(), true)
}
