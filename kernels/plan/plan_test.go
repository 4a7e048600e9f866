package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/kernels"
	"pgregory.net/rapid"
)

func TestOrder(t *testing.T) {
	const a, b, c, state = kernels.Value(1), kernels.Value(2), kernels.Value(3), kernels.Value(9)
	for name, x := range map[string]struct {
		steps []Step
		want  []int
	}{
		"as the nodes are":           {[]Step{{First: 2}, {First: 1}, {First: 3}}, []int{1, 0, 2}},
		"what is read first":         {[]Step{{First: 0, Reads: []kernels.Value{b}}, {First: 5, Reads: []kernels.Value{a}, Writes: []kernels.Value{b}}}, []int{1, 0}},
		"a state is read, then kept": {[]Step{{First: 0, States: []Use{{state, 7}}}, {First: 5, States: []Use{{state, 5}}}}, []int{1, 0}},
		"one step, one state twice":  {[]Step{{States: []Use{{state, 1}, {state, 2}}, Writes: []kernels.Value{c}}}, []int{0}},
	} {
		if got, err := Order(x.steps); err != nil || !slices.Equal(got, x.want) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, x.want)
		}
	}
	circle := []Step{{Reads: []kernels.Value{a}, Writes: []kernels.Value{b}}, {Reads: []kernels.Value{b}, Writes: []kernels.Value{a}}}
	if _, err := Order(circle); err == nil || !strings.Contains(err.Error(), "wait for each other") {
		t.Errorf("a circle: %v", err)
	}
}

// Buffers whose lives meet lie apart, and none lies beyond the block, whatever
// the steps read and write.
func TestLay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) kernels.Value { return kernels.Value(rapid.IntRange(1, 12).Draw(t, "root")) }), 0, 3)
		var steps []Step
		for range rapid.IntRange(0, 10).Draw(t, "steps") {
			steps = append(steps, Step{Reads: some.Draw(t, "reads"), Writes: some.Draw(t, "writes"), Scratch: some.Draw(t, "scratch")})
		}
		inputs, outputs := some.Draw(t, "inputs"), some.Draw(t, "outputs")
		l := Lay(steps, inputs, outputs, 64, func(root kernels.Value) (int, bool) { return 10 * int(root), root != 5 })
		offsets := l.Offsets()
		for i, a := range l.Spans {
			if a.Bytes < 10*int(a.Root) || a.At%64 != 0 || a.At+a.Bytes > l.Size || offsets[a.Root] != a.At || a.Root == 5 {
				t.Fatalf("%+v in a block of %d", a, l.Size)
			}
			for _, b := range l.Spans[:i] {
				if a.First <= b.Last && b.First <= a.Last && a.At < b.At+b.Bytes && b.At < a.At+a.Bytes {
					t.Fatalf("%+v and %+v overlap", a, b)
				}
			}
		}
		for i, s := range steps {
			for _, root := range slices.Concat(s.Reads, s.Writes, s.Scratch) {
				lives := slices.ContainsFunc(l.Spans, func(x Span) bool { return x.Root == root && x.First <= i && i <= x.Last })
				if lives == (root == 5) {
					t.Fatalf("buffer %d in step %d: %+v", root, i, l.Spans)
				}
			}
		}
	})
}
