package plan

import "github.com/kuai-robot/kuai/kernels"

// gates joins the two products of a gated linear unit.
func (l *Lowering) gates(segments []*Segment) []*Segment {
	by := map[Value]*Segment{}
	for _, s := range segments {
		by[s.value] = s
	}
	var out []*Segment
	gone := map[*Segment]bool{}
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
		a.value, a.To = n.Out, n.Out
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
func (l *Lowering) gate(u int, a, b *Segment, act kernels.Activation) bool {
	switch {
	case l.onlyReader(a.value) != u || l.onlyReader(b.value) != u:
		return false
	case a.Matrices+b.Matrices > 2 || a.Residual+b.Residual != 0 || a.State != nil || b.State != nil:
		return false
	case a.x != b.x || a.Key.Windows || b.Key.Windows || a.Key.Weight.Rows() != b.Key.Weight.Rows():
		return false
	case l.rules.Group(a.Key.Form) != l.rules.Group(b.Key.Form) || a.limit != b.limit:
		return false
	case b.Act != kernels.Identity || a.Act != kernels.Identity && act != kernels.Identity:
		return false
	}
	if act != kernels.Identity {
		a.Act = act
	}
	a.Key2, a.Bias2, a.Matrices = b.Key, b.Bias, 2
	a.node = min(a.node, b.node)
	return true
}

// groups joins segments of one input that is prepared in one way, in the order of
// their nodes.
func (l *Lowering) groups(segments []*Segment) []*Product {
	type groupKey struct {
		x     Value
		group Form
		limit float32
	}
	open := map[groupKey]*Product{}
	var out []*Product
	for _, s := range segments {
		key := groupKey{s.x, l.rules.Group(s.Key.Form), s.limit}
		p := open[key]
		if p == nil || s.Key.Windows || len(p.Segments) == l.rules.Segments || !l.before(s.Residual, p.Segments[0].node) {
			p = l.productOf(s)
			out = append(out, p)
			// What comes later may be what this segment waits for.
			if !s.Key.Windows && l.before(s.Residual, s.node) {
				open[key] = p
			}
			continue
		}
		p.Segments = append(p.Segments, s)
	}
	return out
}

// productOf is the product of one segment.
func (l *Lowering) productOf(s *Segment) *Product {
	return &Product{X: s.x, Rows: s.rows, Cols: s.cols, Ld: s.ld, Group: l.rules.Group(s.Key.Form), Limit: s.limit, Segments: []*Segment{s}}
}

// before says whether v is known before a node runs.
func (l *Lowering) before(v Value, node int) bool { return v == 0 || l.Info(v).Node < node }

// takeNorms lets products normalise their rows, if only products read the norm.
func (l *Lowering) takeNorms(products []*Product) {
	all := map[Value]int{} // matrices that read a value
	for _, p := range products {
		all[p.X] += p.matrices()
	}
	for _, p := range products {
		info := l.Info(p.X)
		if info.Kind != kernels.Computed || info.Node < 0 || l.output[p.X] || all[p.X] != len(l.readers[p.X]) {
			continue
		}
		norm, ok := l.Nodes[info.Node].Op.(kernels.Norm)
		if !ok || norm.Groups > 1 || !l.rules.Norms && p.matrices() != all[p.X] {
			continue
		}
		l.done[info.Node] = true
		p.Norm, p.X, p.Ld = &norm, norm.X, l.Places[norm.X].Ld
	}
}

// matrices counts those that multiply the rows of X as they are.
func (p *Product) matrices() (n int) {
	for _, s := range p.Segments {
		if !s.Key.Windows {
			n += s.Matrices
		}
	}
	return n
}

func (l *Lowering) addProduct(p *Product) {
	step := l.add(p.Segments[0].node, p, []Value{p.X}, nil)
	for _, s := range p.Segments {
		l.made[s.value] = p
		if s.Residual != 0 {
			step.Reads = append(step.Reads, s.Residual)
		}
		if s.State != nil {
			step.States = append(step.States, *s.State)
		} else {
			step.Writes = append(step.Writes, s.To)
		}
	}
}
