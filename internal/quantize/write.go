package quantize

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
)

// write makes the folder under another name first.
func (s *state) write(context.Context) error {
	if _, err := os.Stat(s.job.Out); err == nil {
		return fmt.Errorf("%s: exists already (name a folder that does not)", s.job.Out)
	}
	part := filepath.Clean(s.job.Out) + ".part"
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	if err := os.MkdirAll(part, 0o755); err != nil {
		return err
	}
	err := s.fill(part)
	if err == nil {
		err = os.Rename(part, s.job.Out)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(part))
	}
	s.report.BytesAfter, err = modelBytes(s.job.Out)
	return err
}

func (s *state) fill(dir string) error {
	var out []checkpoint.Tensor
	for i := range s.source.Tensors {
		t := &s.source.Tensors[i]
		if s.written(t) {
			continue
		}
		if !s.rounds(t.Name) {
			out = append(out, *t)
			continue
		}
		limit := float32(0)
		if s.report.Chosen.Activations == Calibrated && s.products[t.Name] != nil {
			limit = s.limit(t.Name, s.report.Chosen.Part)
		}
		q, err := t.Quantise(limit)
		if err != nil {
			return fmt.Errorf("%s: %w", s.source.Path, err)
		}
		out = append(out, q...)
		s.report.Quantised = append(s.report.Quantised, t.Name)
	}
	for name := range s.kept {
		s.report.Kept = append(s.report.Kept, name)
	}
	slices.Sort(s.report.Kept)
	notes := map[string]string{"format": "pt", "quantised": "int8 by kuai quantize, activations " + string(s.report.Chosen.Activations)}
	if err := checkpoint.WriteSafetensors(filepath.Join(dir, "model.safetensors"), out, notes); err != nil {
		return err
	}
	return s.copyRest(dir)
}

// rounds says whether a tensor becomes int8.
func (s *state) rounds(name string) bool {
	return (s.products[name] != nil || s.tables[name]) && !s.kept[name]
}

// written says whether t is another name, of CTranslate2, for what becomes int8
// under the name that kuai uses.
func (s *state) written(t *checkpoint.Tensor) bool {
	if s.rounds(t.Name) || len(t.Data) == 0 {
		return false
	}
	return slices.ContainsFunc(s.source.Tensors, func(o checkpoint.Tensor) bool {
		return s.rounds(o.Name) && len(o.Data) > 0 && &o.Data[0] == &t.Data[0]
	})
}

// isModel says whether a file of a folder holds weights, which are written anew.
func isModel(name string) bool {
	return strings.HasSuffix(name, ".safetensors") || name == "model.safetensors.index.json" || name == "model.bin"
}

// copyRest copies what stands beside the weights.
func (s *state) copyRest(dir string) error {
	entries, err := os.ReadDir(s.job.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || isModel(e.Name()) {
			continue
		}
		if err := copyFile(filepath.Join(dir, e.Name()), filepath.Join(s.job.Dir, e.Name())); err != nil {
			return err
		}
	}
	s.report.BytesBefore, err = modelBytes(s.job.Dir)
	return err
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

func modelBytes(dir string) (int64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	sum := int64(0)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && isModel(e.Name()) {
			sum += info.Size()
		}
	}
	return sum, nil
}

// turnsOfSpeed is how often each of both models computes a sample.
const turnsOfSpeed = 11

// measure opens what was written, as any other program will, and compares loss
// and speed with f32, in turns.
func (s *state) measure(ctx context.Context) error {
	after, err := s.job.Open(s.job.Out, kernels.Options{})
	if err != nil {
		return err
	}
	if s.report.Loss, err = s.compare(ctx, after); err != nil {
		return errors.Join(err, after.Close())
	}
	before, err := s.job.Open(s.job.Dir, kernels.Options{Precision: kernels.Float32})
	if err != nil {
		return errors.Join(err, after.Close())
	}
	var slow, fast []time.Duration
	for i := range turnsOfSpeed {
		for _, side := range []struct {
			r     Runner
			times *[]time.Duration
		}{{before, &slow}, {after, &fast}} {
			start := s.job.Now()
			if _, e := side.r.Run(ctx, i%s.job.Samples); err == nil {
				err = e
			}
			*side.times = append(*side.times, s.job.Now().Sub(start))
		}
	}
	s.report.Before, s.report.After = median(slow), median(fast)
	return errors.Join(err, before.Close(), after.Close())
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
