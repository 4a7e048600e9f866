package cuda

import (
	"github.com/kuai-robot/kuai/kernels"
)

// recorder makes the commands of one instance for lengths up to bounds.
type recorder struct {
	*lowering
	instance          *instance
	bounds            kernels.Scalars
	scalars, counters Ptr
}

func (r *recorder) device() Device { return r.lowering.device }

// at is the address of a value.
func (r *recorder) at(v value) Ptr { return r.instance.address(v) }

func (r *recorder) mat(v value) cMat {
	rows, cols := r.Size(v)
	return cMat{at: r.at(v), rows: dimOf(rows), cols: int32(cols), ld: int32(r.Places[v].Ld)}
}

// bound is the largest length that the commands must serve.
func (r *recorder) bound(d kernels.Dim) int { return d.At(&r.bounds) }

func (r *recorder) elements(v value) int {
	rows, cols := r.Size(v)
	return r.bound(rows) * cols
}

// across is a grid for n numbers; threads go on to further ones when the blocks
// that run at once do not suffice.
func (r *recorder) across(n, threads int) [3]int {
	return [3]int{min(max(1, ceil(n, threads)), 8*r.device().SMs), 1, 1}
}

// classes are the lengths between which no other commands are recorded. Those of
// pictures are closer to each other: what is above a length is copied for nothing.
var classes = []int32{
	1, 4, 16, 64, 256, 1024, 4096, 16384, 1 << 15, 1 << 16, 1 << 17, 1 << 18, 3 << 17, 1 << 19, 1 << 20, 1 << 21, 1 << 22, 1 << 23, 1 << 24, 1 << 25, 1 << 26,
}

// class is the index of the least class that holds n.
func class(n int32) uint8 {
	for i, c := range classes {
		if n <= c {
			return uint8(i)
		}
	}
	return uint8(len(classes))
}

// classKey tells recordings apart: the class of each scalar.
type classKey [kernels.MaxScalars + 1]uint8

// key gives the classes of the scalars that lengths depend on.
func (e *executable) key(s *kernels.Scalars) (key classKey) {
	for id, matters := range e.lengths {
		if matters {
			key[id] = class(s[id])
		}
	}
	return key
}

// boundsOf gives the largest scalars of a class.
func (e *executable) boundsOf(key classKey) (bounds kernels.Scalars) {
	for _, named := range e.graph.Scalars {
		bounds[named.ID] = named.Max
		if e.lengths[named.ID] && int(key[named.ID]) < len(classes) {
			bounds[named.ID] = min(named.Max, classes[key[named.ID]])
		}
	}
	return bounds
}

// lengthScalars marks the scalars that the shapes of values depend on.
func lengthScalars(l *lowering) (out [kernels.MaxScalars + 1]bool) {
	for v := value(1); int(v) < len(l.Places); v++ {
		for _, d := range l.Info(v).Shape {
			if !d.Static() {
				out[d.Scalar.ID] = true
			}
		}
	}
	return out
}
