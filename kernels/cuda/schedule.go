package cuda

import "errors"

// schedule orders ops so that what one reads has been written, and states are
// touched in the order of the nodes; otherwise in the order of the nodes.
func (l *lowering) schedule() ([]*op, error) {
	writers := map[value][]int{}
	for i, o := range l.ops {
		for _, v := range o.writes {
			root := l.places[v].root
			writers[root] = append(writers[root], i)
		}
	}
	waits := make([][]int, len(l.ops))
	for i, o := range l.ops {
		for _, v := range o.reads {
			waits[i] = append(waits[i], writers[l.places[v].root]...)
		}
		waits[i] = append(waits[i], l.earlier(i)...)
	}
	return order(l.ops, waits)
}

// earlier lists the ops that touch a state of op i before it does.
func (l *lowering) earlier(i int) []int {
	var out []int
	for _, use := range l.ops[i].states {
		for j, o := range l.ops {
			for _, other := range o.states {
				if other.state == use.state && other.node < use.node && j != i {
					out = append(out, j)
				}
			}
		}
	}
	return out
}

// order takes, again and again, the ready op with the lowest node.
func order(ops []*op, waits [][]int) ([]*op, error) {
	done := make([]bool, len(ops))
	var out []*op
	for range ops {
		next := -1
		for i, o := range ops {
			if !done[i] && (next < 0 || o.first < ops[next].first) && all(done, waits[i]) {
				next = i
			}
		}
		if next < 0 {
			return nil, errors.New("fused operators wait for each other: please report this graph")
		}
		done[next] = true
		out = append(out, ops[next])
	}
	return out, nil
}

func all(done []bool, indices []int) bool {
	for _, i := range indices {
		if !done[i] {
			return false
		}
	}
	return true
}
