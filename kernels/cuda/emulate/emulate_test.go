package emulate

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/kernels/cuda"
)

const numbers = 128

// bench is an emulator of the kernels with planted mistakes and its buffers.
type bench struct {
	*Emulator
	x, y, counter cuda.Ptr
}

func newBench(t *testing.T) *bench {
	t.Helper()
	e, err := New(Options{Sources: []string{"testdata/bugs.cu"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return &bench{Emulator: e}
}

// launch gives fresh buffers (x of 64 numbers 0.., y of 128, nothing in them) to
// a kernel and runs it.
func (b *bench) launch(t *testing.T, kernel string, blocks int) error {
	t.Helper()
	_, threads, err := b.Describe(kernel)
	if err != nil || threads == 0 {
		t.Fatalf("kernel %s: %d threads, %v", kernel, threads, err)
	}
	for _, buffer := range []struct {
		at   *cuda.Ptr
		size int
	}{{&b.x, 64 * 4}, {&b.y, numbers * 4}, {&b.counter, 4}} {
		if *buffer.at != 0 {
			b.Free(*buffer.at)
		}
		if *buffer.at, err = b.Alloc(buffer.size); err != nil {
			t.Fatal(err)
		}
	}
	var x []byte
	for i := range 64 {
		x = binary.LittleEndian.AppendUint32(x, math.Float32bits(float32(i)))
	}
	if err := b.Upload(b.x, x); err != nil {
		t.Fatal(err)
	}
	if err := b.Upload(b.counter, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	params := append(words(uint64(b.x), uint64(b.y), uint64(b.counter)), 4, 0, 0, 0, 0, 0, 0, 0)
	r, err := b.Record([]cuda.Command{{Op: "test", Kernel: kernel, Grid: [3]int{blocks, 1, 1}, Block: threads, Params: params}})
	if err != nil {
		t.Fatal(err)
	}
	return r.Run()
}

// TestPlanted launches each mistake, which must be found, and its right twin,
// which must run.
func TestPlanted(t *testing.T) {
	for _, c := range []struct {
		kernel string
		blocks int
		want   string
	}{
		{"race", 1, "a race: thread"},
		{"overwrite", 1, "a race: thread 63 wrote this shared memory"},
		{"reuse", 1, "a race: another thread read this shared memory"},
		{"warp_race", 1, "a race: thread"},
		{"other_warp", 1, "a race: another thread read this shared memory"},
		{"same_warp", 1, "a race: another thread read this shared memory"},
		{"unwritten", 1, "a read of shared memory that nothing has written"},
		{"unwritten_global", 1, "a read of global memory that nothing has written"},
		{"bounds", 1, "out of bounds of global memory"},
		{"bounds_write", 1, "out of bounds of global memory"},
		{"aligned", 1, "a misaligned access"},
		{"barrier", 1, "a barrier that not all threads reach: 40 wait at the barrier at bugs.cu:"},
		{"shuffle", 1, "a meeting of a warp that not all lanes reach"},
		{"copy", 1, "asynchronous copy has not been waited for"},
		{"copy_barrier", 1, "a race: thread"},
		{"stage", 1, "asynchronous copy has not been waited for"},
		{"blocks", 2, "a race: block 0 wrote this global memory"},
		{"fence", 2, "a race: block 0 wrote this global memory"},
		{"local", 1, "index 4 out of bounds"},
	} {
		t.Run(c.kernel, func(t *testing.T) {
			b := newBench(t)
			if err := b.launch(t, c.kernel+"_right", c.blocks); err != nil {
				t.Errorf("the right kernel: %v", err)
			}
			err := b.launch(t, c.kernel+"_bug", c.blocks)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "bugs.cu:") {
				t.Errorf("the kernel with the mistake gives %v, want %q and a line of bugs.cu", err, c.want)
			}
			if c.want == "index 4 out of bounds" {
				return // AddressSanitizer ends the process
			}
			if err := b.launch(t, c.kernel+"_right", c.blocks); err != nil {
				t.Errorf("the right kernel after the wrong one: %v", err)
			}
		})
	}
}

// TestMeetings checks what a shuffle, a vote and a fragment hold.
func TestMeetings(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		kernel string
		want   func(i int) float32
		n      int
	}{
		{"meetings_right", func(int) float32 { return 105 }, 32},
		{"fragments_right", func(i int) float32 { return float32(i/8*16 + i%8) }, 128},
	} {
		if err := b.launch(t, c.kernel, 1); err != nil {
			t.Fatal(err)
		}
		out := make([]byte, 4*c.n)
		if err := b.Download(out, b.y); err != nil {
			t.Fatal(err)
		}
		for i := range c.n {
			if got := math.Float32frombits(binary.LittleEndian.Uint32(out[4*i:])); got != c.want(i) {
				t.Errorf("%s: y[%d] is %g, want %g", c.kernel, i, got, c.want(i))
			}
		}
	}
}

// TestReads counts what a kernel reads, lanes of a warp together.
func TestReads(t *testing.T) {
	b := newBench(t)
	if err := b.launch(t, "reads_right", 1); err != nil {
		t.Fatal(err)
	}
	for _, want := range []Reads{{All: 256 + 128, Least: 1, Most: 2}, {}} { // counted once
		if got, err := b.Reads(b.x, 256); err != nil || got != want {
			t.Errorf("reads %+v, %v, want %+v", got, err, want)
		}
	}
	if _, err := b.Reads(b.x, 257); err == nil {
		t.Error("what is beyond the buffer was counted")
	}
}

// TestRefused checks what a launch or a copy must not do.
func TestRefused(t *testing.T) {
	b := newBench(t)
	if err := b.launch(t, "race_right", 1); err != nil {
		t.Fatal(err)
	}
	launch := func(c cuda.Command) error {
		r, err := b.Record([]cuda.Command{c})
		if err != nil {
			return err
		}
		return r.Run()
	}
	one := [3]int{1, 1, 1}
	for what, err := range map[string]error{
		"no kernel":        launch(cuda.Command{Kernel: "nothing", Grid: one, Block: 32}),
		"of parameters":    launch(cuda.Command{Kernel: "race_right", Grid: one, Block: 64, Params: make([]byte, 8)}),
		"block of 96":      launch(cuda.Command{Kernel: "race_right", Grid: one, Block: 96, Params: make([]byte, 32)}),
		"too large grid":   launch(cuda.Command{Kernel: "race_right", Grid: [3]int{1, 70000, 1}, Block: 64, Params: make([]byte, 32)}),
		"beyond what was":  b.Upload(b.y, make([]byte, 4*numbers+1)),
		"beyond what was ": b.Download(make([]byte, 4*numbers+1), b.y),
	} {
		if err == nil || !strings.Contains(err.Error()+" ", what) {
			t.Errorf("got %v, want %q", err, what)
		}
	}
	if _, err := b.Alloc(64 << 30); err == nil {
		t.Error("64 GB of memory were given")
	}
}
