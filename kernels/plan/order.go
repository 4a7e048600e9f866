package plan

import (
	"errors"

	"github.com/kuai-robot/kuai/kernels"
)

// Order gives the order of steps in which what one reads has been written, and
// states are touched in the order of the nodes; otherwise that of the nodes. It
// fails when steps wait for each other.
func Order(steps []Step) ([]int, error) {
	writers := map[kernels.Value][]int{}
	for i := range steps {
		for _, root := range steps[i].Writes {
			writers[root] = append(writers[root], i)
		}
	}
	waits := make([][]int, len(steps))
	for i := range steps {
		for _, root := range steps[i].Reads {
			waits[i] = append(waits[i], writers[root]...)
		}
		waits[i] = append(waits[i], earlier(steps, i)...)
	}
	return order(steps, waits)
}

// earlier lists the steps that touch a state of step i before it does.
func earlier(steps []Step, i int) []int {
	var out []int
	for _, use := range steps[i].States {
		for j := range steps {
			for _, other := range steps[j].States {
				if other.State == use.State && other.Node < use.Node && j != i {
					out = append(out, j)
				}
			}
		}
	}
	return out
}

// order takes, again and again, the ready step with the lowest node.
func order(steps []Step, waits [][]int) ([]int, error) {
	done := make([]bool, len(steps))
	var out []int
	for range steps {
		next := -1
		for i := range steps {
			if !done[i] && (next < 0 || steps[i].First < steps[next].First) && all(done, waits[i]) {
				next = i
			}
		}
		if next < 0 {
			return nil, errors.New("fused operators wait for each other: please report this graph")
		}
		done[next] = true
		out = append(out, next)
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
