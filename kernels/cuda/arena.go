package cuda

import (
	"sort"

	"github.com/kuai-robot/kuai/kernels"
)

// align is that of the driver's allocations: whole lines of the cache.
const align = 256

// span is the life of a buffer: from the step that writes it to the last that
// reads it.
type span struct {
	root        value
	bytes       int
	first, last int
	at          int
}

// arena gives each buffer that the program writes an offset in one block, and
// the size of the block. Buffers whose lives meet do not overlap. Inputs live
// from before the first step, and outputs to after the last, apart from all
// others.
func (l *lowering) arena(ops []*op) (offsets map[value]int, size int) {
	spans := l.lives(ops)
	sort.SliceStable(spans, func(i, j int) bool { return spans[i].bytes > spans[j].bytes })
	offsets = map[value]int{}
	for i, s := range spans {
		s.at = lowest(s, spans[:i])
		offsets[s.root] = s.at
		size = max(size, s.at+s.bytes)
	}
	return offsets, size
}

// lowest is the lowest offset where s meets none of those placed.
func lowest(s *span, placed []*span) int {
	var meeting []*span
	for _, p := range placed {
		if p.first <= s.last && s.first <= p.last {
			meeting = append(meeting, p)
		}
	}
	sort.Slice(meeting, func(i, j int) bool { return meeting[i].at < meeting[j].at })
	at := 0
	for _, p := range meeting {
		if at+s.bytes <= p.at {
			break
		}
		at = max(at, p.at+p.bytes)
	}
	return at
}

func (l *lowering) lives(ops []*op) []*span {
	by := map[value]*span{}
	var out []*span
	touch := func(v value, step int) {
		root := l.places[v].root
		if l.info(root).Kind == kernels.IsState || l.consts[root] != nil {
			return
		}
		s := by[root]
		if s == nil {
			s = &span{root: root, bytes: (l.bytes[root] + align - 1) / align * align, first: step}
			by[root] = s
			out = append(out, s)
		}
		s.first, s.last = min(s.first, step), max(s.last, step)
	}
	for v := value(1); int(v) < l.Graph.Values(); v++ {
		if l.info(v).Kind == kernels.IsInput {
			touch(v, -1)
			touch(v, len(ops))
		}
	}
	for i, o := range ops {
		for _, list := range [][]value{o.reads, o.writes, o.scratch} {
			for _, v := range list {
				touch(v, i)
			}
		}
	}
	for _, v := range l.Outputs {
		touch(v, len(ops))
		touch(v, -1) // an output may be read while the next run's inputs are filled
	}
	return out
}
