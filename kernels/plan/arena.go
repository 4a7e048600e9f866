package plan

import (
	"sort"

	"github.com/kuai-robot/kuai/kernels"
)

// Span is the life of a buffer, from the step that writes it to the last that
// reads it, and where it lies.
type Span struct {
	Root        kernels.Value
	Bytes       int
	First, Last int
	At          int
}

// Layout is one block with every buffer in it.
type Layout struct {
	Spans []Span
	Size  int
}

// Lay gives each buffer of steps, in the order in which they run, a place that is
// a multiple of align in one block. Buffers whose lives meet do not overlap.
// Inputs live from before the first step, and outputs to after the last, apart
// from all others. bytes gives the size of a buffer, and false for one that lies
// elsewhere, such as a state.
func Lay(steps []Step, inputs, outputs []kernels.Value, align int, bytes func(root kernels.Value) (int, bool)) Layout {
	spans := lives(steps, inputs, outputs, func(root kernels.Value) (int, bool) {
		n, ok := bytes(root)
		return (n + align - 1) / align * align, ok
	})
	sort.SliceStable(spans, func(i, j int) bool { return spans[i].Bytes > spans[j].Bytes })
	l := Layout{Spans: spans}
	for i := range spans {
		spans[i].At = lowest(&spans[i], spans[:i])
		l.Size = max(l.Size, spans[i].At+spans[i].Bytes)
	}
	return l
}

// Offsets gives where each buffer lies.
func (l *Layout) Offsets() map[kernels.Value]int {
	offsets := make(map[kernels.Value]int, len(l.Spans))
	for i := range l.Spans {
		offsets[l.Spans[i].Root] = l.Spans[i].At
	}
	return offsets
}

// lowest is the lowest offset where s meets none of those placed.
func lowest(s *Span, placed []Span) int {
	var meeting []Span
	for _, p := range placed {
		if p.First <= s.Last && s.First <= p.Last {
			meeting = append(meeting, p)
		}
	}
	sort.Slice(meeting, func(i, j int) bool { return meeting[i].At < meeting[j].At })
	at := 0
	for _, p := range meeting {
		if at+s.Bytes <= p.At {
			break
		}
		at = max(at, p.At+p.Bytes)
	}
	return at
}

func lives(steps []Step, inputs, outputs []kernels.Value, bytes func(kernels.Value) (int, bool)) []Span {
	by := map[kernels.Value]int{}
	var out []Span
	touch := func(root kernels.Value, step int) {
		i, ok := by[root]
		if !ok {
			n, ok := bytes(root)
			if !ok {
				return
			}
			i = len(out)
			by[root], out = i, append(out, Span{Root: root, Bytes: n, First: step, Last: step})
		}
		out[i].First, out[i].Last = min(out[i].First, step), max(out[i].Last, step)
	}
	whole := func(roots []kernels.Value) {
		for _, root := range roots {
			touch(root, -1)
			touch(root, len(steps))
		}
	}
	whole(inputs)
	for i := range steps {
		for _, list := range [][]kernels.Value{steps[i].Reads, steps[i].Writes, steps[i].Scratch} {
			for _, root := range list {
				touch(root, i)
			}
		}
	}
	whole(outputs) // one may be read while the next run's inputs are filled
	return out
}
