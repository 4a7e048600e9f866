package quantize_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/internal/quantize"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
)

const width = 32

// writeModel writes two matrices, a bias and a table of words to a folder, and
// something that is no model beside them.
func writeModel(t *testing.T, spoil func(numbers map[string][]float32)) string {
	t.Helper()
	dir := t.TempDir()
	shapes := map[string][]int{"up.weight": {2 * width, width}, "up.bias": {2 * width}, "down.weight": {width, 2 * width}, "words": {40, width}}
	numbers := map[string][]float32{}
	for name, shape := range shapes {
		n := shape[0]
		if len(shape) > 1 {
			n *= shape[1]
		}
		for i := range n {
			numbers[name] = append(numbers[name], float32(math.Sin(float64(i*i%977+len(name))))/6)
		}
	}
	if spoil != nil {
		spoil(numbers)
	}
	var tensors []checkpoint.Tensor
	for _, name := range []string{"up.weight", "up.bias", "down.weight", "words"} {
		var data []byte
		for _, x := range numbers[name] {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
		}
		tensors = append(tensors, checkpoint.Tensor{Name: name, DType: checkpoint.F32, Shape: shapes[name], Data: data})
	}
	if err := checkpoint.WriteSafetensors(filepath.Join(dir, "model.safetensors"), tensors, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// tiny is y = down·gelu(up·x + bias): samples are rows of numbers.
type tiny struct {
	program *kernels.Program
	session *kernels.Session
	x, y    kernels.Value
	samples [][]float32
}

func openTiny(samples [][]float32) func(string, kernels.Options) (quantize.Runner, error) {
	return func(dir string, o kernels.Options) (quantize.Runner, error) {
		f, err := checkpoint.Open(dir)
		if err != nil {
			return nil, err
		}
		g, r := kernels.NewGraph("tiny"), &tiny{samples: samples}
		take := func(name string) *kernels.Weight {
			t, e := f.Tensor(name)
			if e != nil {
				err = errors.Join(err, e)
				return nil
			}
			w, e := t.Weight()
			err = errors.Join(err, e)
			return w
		}
		r.x = g.Input("x", kernels.F32, kernels.N(1), kernels.N(width))
		h := g.Add(kernels.MatMul{X: r.x, W: take("up.weight"), Bias: take("up.bias"), Act: kernels.GELU})
		r.y = g.Add(kernels.MatMul{X: h, W: take("down.weight")})
		g.Output("y", r.y)
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		if r.program, err = kernels.Compile(g, cpu.New(cpu.Options{Threads: 1}), o); err == nil {
			r.session, err = r.program.NewSession()
		}
		return r, errors.Join(err, f.Close())
	}
}

func (r *tiny) Run(ctx context.Context, i int) ([]float32, error) {
	copy(r.session.F32(r.x), r.samples[i])
	err := r.session.Run(ctx)
	return r.session.F32(r.y), err
}

func (r *tiny) Close() error { return errors.Join(r.session.Close(), r.program.Close()) }

func samples(n int) [][]float32 {
	out := make([][]float32, n)
	for i := range out {
		for k := range width {
			out[i] = append(out[i], float32(math.Sin(float64(i*width+k))))
		}
	}
	return out
}

// ticking is a clock that goes on by itself.
func ticking() func() time.Time {
	now := time.Unix(0, 0)
	return func() time.Time {
		now = now.Add(time.Millisecond)
		return now
	}
}

func job(t *testing.T, dir string, n int) quantize.Job {
	return quantize.Job{Dir: dir, Out: filepath.Join(t.TempDir(), "int8"), Open: openTiny(samples(n)), Samples: n, Now: ticking()}
}

// What is written is int8, smaller, near, and read by the normal path.
func TestQuantise(t *testing.T) {
	for _, kind := range []quantize.Activations{quantize.Measured, quantize.Calibrated, quantize.Dynamic} {
		j := job(t, writeModel(t, nil), 12)
		j.Activations = kind
		r, err := quantize.Run(context.Background(), j)
		if err != nil {
			t.Fatal(err)
		}
		if r.Seen != 9 || r.HeldOut != 3 || !slices.Equal(r.Quantised, []string{"down.weight", "up.weight"}) || len(r.Kept) != 0 {
			t.Errorf("%s: %+v", kind, r)
		}
		if r.Loss.Least < 0.999 || r.Loss.Least >= 1 || r.Loss.Mean < r.Loss.Least {
			t.Errorf("%s: loss %+v", kind, r.Loss)
		}
		if r.Loss != r.Chosen.Loss {
			t.Errorf("%s: the written folder loses %+v, the trial %+v", kind, r.Loss, r.Chosen.Loss)
		}
		if r.BytesAfter >= r.BytesBefore*3/4 || r.Before <= 0 || r.After <= 0 {
			t.Errorf("%s: %d → %d bytes, %v → %v", kind, r.BytesBefore, r.BytesAfter, r.Before, r.After)
		}
		if len(r.Layers) != 2 || !(r.Layers[0].Error >= r.Layers[1].Error) || !(r.Layers[1].Error > 0) || r.Layers[0].Error > 0.05 {
			t.Errorf("%s: layers %+v", kind, r.Layers)
		}
		f, err := checkpoint.Open(j.Out)
		if err != nil {
			t.Fatal(err)
		}
		up, err := f.Tensor("up.weight")
		if err != nil || up.DType != checkpoint.I8 || len(up.Scales) != 2*width {
			t.Errorf("%s: up.weight %+v, %v", kind, up, err)
		}
		if fixed := up.Range > 0; fixed != (r.Chosen.Activations == quantize.Calibrated) || kind == quantize.Dynamic && fixed {
			t.Errorf("%s: range %g, chosen %s", kind, up.Range, r.Chosen.Activations)
		}
		if _, err := os.Stat(filepath.Join(j.Out, "config.json")); err != nil {
			t.Error(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A row of one outlier is what costs; the product that has it stays as it is
// when the loss is bounded, and what is named stays anyway.
func TestKeep(t *testing.T) {
	outliers := func(n map[string][]float32) {
		for r := range width { // one large number in each row of down
			n["down.weight"][r*2*width] = 40
		}
	}
	j := job(t, writeModel(t, outliers), 12)
	loose, err := quantize.Run(context.Background(), j)
	if err != nil {
		t.Fatal(err)
	}
	if loose.Layers[0].Name != "down.weight" && loose.Loss.Least > 0.9999 {
		t.Errorf("outliers cost nothing: %+v, %+v", loose.Loss, loose.Layers)
	}
	j.Least, j.Out = (loose.Loss.Least+1)/2, filepath.Join(t.TempDir(), "int8")
	tight, err := quantize.Run(context.Background(), j)
	if err != nil {
		t.Fatal(err)
	}
	if len(tight.Kept) == 0 || tight.Kept[0] != loose.Layers[0].Name || tight.Loss.Least < j.Least {
		t.Errorf("kept %v, loss %+v, want at least %g", tight.Kept, tight.Loss, j.Least)
	}
	j.Least, j.Keep, j.Out = 0, []string{"up.weight"}, filepath.Join(t.TempDir(), "int8")
	named, err := quantize.Run(context.Background(), j)
	if err != nil || !slices.Equal(named.Kept, []string{"up.weight"}) || !slices.Equal(named.Quantised, []string{"down.weight"}) {
		t.Errorf("%+v, %v", named, err)
	}
}

func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(j *quantize.Job)
		want  string
	}{
		"no samples":        {func(j *quantize.Job) { j.Samples = 0 }, "0 samples"},
		"one sample":        {func(j *quantize.Job) { j.Samples = 1 }, "at least two samples"},
		"kind":              {func(j *quantize.Job) { j.Activations = "best" }, `activations "best"`},
		"cosine":            {func(j *quantize.Job) { j.Least = 1 }, "cosine of 1"},
		"unknown":           {func(j *quantize.Job) { j.Keep = []string{"middle"} }, "no tensor middle"},
		"no matrix":         {func(j *quantize.Job) { j.Keep = []string{"words"} }, "words, to be kept, is neither"},
		"not there":         {func(j *quantize.Job) { j.Dir = "nowhere" }, "nowhere"},
		"out exists":        {func(j *quantize.Job) { j.Out = j.Dir }, "exists already"},
		"a number is none":  {func(j *quantize.Job) { spoilSample(j) }, "sample 1: graph tiny: calibration: the input of up.weight holds NaN"},
		"quantised already": {func(j *quantize.Job) { j.Dir = twice(*j) }, "quantised already"},
		"weight is none": {func(j *quantize.Job) {
			j.Dir = writeModel(t, func(n map[string][]float32) { n["down.weight"][5] = float32(math.Inf(1)) })
		}, "down.weight"},
	} {
		j := job(t, writeModel(t, nil), 8)
		c.spoil(&j)
		_, err := quantize.Run(context.Background(), j)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.want)
		}
		if _, err := os.Stat(j.Out + ".part"); err == nil {
			t.Errorf("%s: half a folder is left", name)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := quantize.Run(ctx, job(t, writeModel(t, nil), 8)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func spoilSample(j *quantize.Job) {
	bad := samples(j.Samples)
	bad[1][3] = float32(math.NaN())
	j.Open = openTiny(bad)
}

// twice quantises what is quantised.
func twice(j quantize.Job) string {
	if _, err := quantize.Run(context.Background(), j); err != nil {
		return err.Error()
	}
	done := j.Out + "-first"
	if err := os.Rename(j.Out, done); err != nil {
		return err.Error()
	}
	return done
}
