package quantize

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/kuai-robot/kuai/kernels"
)

// Runner computes the samples of a job with one model.
type Runner interface {
	// Run computes a sample and gives the numbers that count, valid until the
	// next call.
	Run(ctx context.Context, sample int) ([]float32, error)
	Close() error
}

// Activations says how what is multiplied is rounded.
type Activations string

// Kinds of Activations.
const (
	Measured   Activations = "auto"       // what loses least on the held-out samples
	Calibrated Activations = "calibrated" // by ranges that are fixed
	Dynamic    Activations = "dynamic"    // each row by its own largest magnitude
)

// Job is a model to quantise.
type Job struct {
	Dir, Out string
	Open     func(dir string, o kernels.Options) (Runner, error)
	Samples  int
	// Activations; empty means Measured.
	Activations Activations
	// Least is the cosine that every held-out sample must keep; products stay as
	// they are until it does. 0 asks for none.
	Least float64
	// Keep names weights that stay as they are.
	Keep []string
	// Now gives the time for the comparison of speeds.
	Now func() time.Time
}

// Trial is a way to round activations and what it cost.
type Trial struct {
	Activations Activations `json:"activations"`
	// Part of the magnitudes that a range covers; 1 is the largest.
	Part float64 `json:"part,omitempty"`
	Loss
}

// Loss compares outputs with those of f32.
type Loss struct {
	Least float64 `json:"cosine_min"`
	Mean  float64 `json:"cosine_mean"`
}

// Layer is a product and the relative error that rounding it alone makes.
type Layer struct {
	Name  string  `json:"name"`
	Error float64 `json:"error"`
}

// Report is what Run did.
type Report struct {
	Seen, HeldOut int
	Trials        []Trial
	Chosen        Trial
	Quantised     []string // tensors
	Kept          []string // products that stayed as they are
	Layers        []Layer  // the worst first
	Loss          Loss     // of the written folder
	BytesBefore   int64    // of model files
	BytesAfter    int64
	Before, After time.Duration // of a sample, median: in f32, and of the written folder
}

// Parts of the magnitudes that a range may cover.
var parts = []float64{1, 0.99999, 0.9999, 0.999}

// heldOut says whether a sample is one of those that measure.
func heldOut(sample, samples int) bool {
	if samples < 4 {
		return sample == samples-1
	}
	return sample%4 == 3
}

// ErrSamples says that there is nothing to calibrate with.
var ErrSamples = errors.New("at least two samples are needed: one to calibrate with and one that measures the loss")

// Run does the job.
func Run(ctx context.Context, j Job) (*Report, error) {
	if j.Activations == "" {
		j.Activations = Measured
	}
	switch {
	case j.Samples < 2:
		return nil, fmt.Errorf("%d samples: %w", j.Samples, ErrSamples)
	case !slices.Contains([]Activations{Measured, Calibrated, Dynamic}, j.Activations):
		return nil, fmt.Errorf("activations %q: want auto, calibrated or dynamic", j.Activations)
	case j.Least < 0 || j.Least >= 1:
		return nil, fmt.Errorf("a cosine of %g: want 0 to less than 1", j.Least)
	}
	s, err := j.open()
	if err != nil {
		return nil, err
	}
	if err := s.steps(ctx); err != nil {
		return nil, errors.Join(err, s.source.Close())
	}
	return &s.report, s.source.Close()
}

// steps are what a job is made of.
func (s *state) steps(ctx context.Context) error {
	for _, step := range []func(context.Context) error{s.calibrate, s.reference, s.choose, s.keepUntilGood, s.write, s.measure} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// calibrate runs the model in f32 on the samples that are not held out.
func (s *state) calibrate(ctx context.Context) error {
	s.seen = &kernels.Calibration{}
	r, err := s.job.Open(s.job.Dir, kernels.Options{Precision: kernels.Float32, Calibrate: s.seen})
	if err != nil {
		return err
	}
	for i := range s.job.Samples {
		if heldOut(i, s.job.Samples) {
			continue
		}
		if _, err := r.Run(ctx, i); err != nil {
			return errors.Join(fmt.Errorf("sample %d: %w", i, err), r.Close())
		}
		s.report.Seen++
	}
	if err := r.Close(); err != nil {
		return err
	}
	return s.settle()
}

// reference computes the held-out samples in f32.
func (s *state) reference(ctx context.Context) error {
	r, err := s.job.Open(s.job.Dir, kernels.Options{Precision: kernels.Float32})
	if err != nil {
		return err
	}
	for i := range s.job.Samples {
		if !heldOut(i, s.job.Samples) {
			continue
		}
		out, err := r.Run(ctx, i)
		if err != nil {
			return errors.Join(fmt.Errorf("sample %d: %w", i, err), r.Close())
		}
		s.exact[i] = slices.Clone(out)
		s.report.HeldOut++
	}
	return r.Close()
}

// choose tries ways to round activations; the best counts, and of equals the
// first, which needs the least time.
func (s *state) choose(ctx context.Context) error {
	var trials []Trial
	if s.job.Activations != Dynamic {
		for _, part := range parts {
			trials = append(trials, Trial{Activations: Calibrated, Part: part})
		}
	}
	if s.job.Activations != Calibrated {
		trials = append(trials, Trial{Activations: Dynamic})
	}
	for i := range trials {
		var err error
		if trials[i].Loss, err = s.try(ctx, trials[i]); err != nil {
			return err
		}
		if i == 0 || trials[i].Loss.Least > s.report.Chosen.Loss.Least {
			s.report.Chosen = trials[i]
		}
	}
	s.report.Trials = trials
	return nil
}

// try opens the model in int8 as it would be written.
func (s *state) try(ctx context.Context, t Trial) (Loss, error) {
	o := kernels.Options{Precision: kernels.Int8, Keep: map[string]bool{}}
	for _, name := range s.seen.Names() {
		o.Keep[name] = !s.quantises(name)
	}
	if t.Activations == Calibrated {
		o.Ranges = s.ranges(t.Part)
	}
	r, err := s.job.Open(s.job.Dir, o)
	if err != nil {
		return Loss{}, err
	}
	loss, err := s.compare(ctx, r)
	return loss, errors.Join(err, r.Close())
}

// compare runs the held-out samples.
func (s *state) compare(ctx context.Context, r Runner) (Loss, error) {
	loss := Loss{Least: math.Inf(1)}
	for i := range s.job.Samples {
		if s.exact[i] == nil {
			continue
		}
		out, err := r.Run(ctx, i)
		if err != nil {
			return loss, fmt.Errorf("sample %d: %w", i, err)
		}
		c, err := cosine(s.exact[i], out)
		if err != nil {
			return loss, fmt.Errorf("sample %d: %w", i, err)
		}
		loss.Least = min(loss.Least, c)
		loss.Mean += c / float64(s.report.HeldOut)
	}
	return loss, nil
}

func cosine(a, b []float32) (float64, error) {
	if len(a) != len(b) {
		return 0, fmt.Errorf("%d numbers, in f32 %d", len(b), len(a))
	}
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	c := ab / math.Sqrt(aa*bb)
	if math.IsNaN(c) || math.IsInf(c, 0) {
		return 0, errors.New("the output is zero, NaN or infinite")
	}
	return c, nil
}
