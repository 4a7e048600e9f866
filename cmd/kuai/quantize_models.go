package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/kuai-robot/kuai/fusion/embed"
	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/fusion/vla"
	"github.com/kuai-robot/kuai/internal/quantize"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/perception/encoder/vision"
	"github.com/kuai-robot/kuai/robot"
)

// runner is a quantize.Runner of two functions.
type runner struct {
	run   func(ctx context.Context, sample int) ([]float32, error)
	close func() error
}

func (r runner) Run(ctx context.Context, sample int) ([]float32, error) { return r.run(ctx, sample) }
func (r runner) Close() error                                           { return r.close() }

// quantizable reads the samples that a kind of model takes, and gives what opens
// such a model for them.
func (a *app) quantizable(ctx context.Context, kind string, b kernels.Backend, sources []string, most int) (opener, int, error) {
	switch kind {
	case "clip", "siglip", "siglip2":
		frames, err := a.frames(ctx, sources, most)
		return visionOpener(b, frames), len(frames), err
	case vla.Format:
		inputs, err := policyInputs(sources, most)
		return policyOpener(b, inputs), len(inputs), err
	case "whisper":
		clips, err := clipsOf(sources, most)
		return speechOpener(b, clips), len(clips), err
	}
	lines, err := linesOf(sources, most)
	if kind == "bert" || kind == "clip_text_model" {
		return sentenceOpener(b, lines), len(lines), err
	}
	return languageOpener(b, lines), len(lines), err
}

func visionOpener(b kernels.Backend, frames []*robot.Frame) opener {
	return func(dir string, o kernels.Options) (quantize.Runner, error) {
		m, err := vision.Open(dir, b, vision.Options{Compile: o})
		if err != nil {
			return nil, err
		}
		s, err := m.NewSession()
		if err != nil {
			return nil, errors.Join(err, m.Close())
		}
		return runner{
			func(ctx context.Context, i int) ([]float32, error) { return s.Encode(ctx, frames[i]) },
			func() error { return errors.Join(s.Close(), m.Close()) },
		}, nil
	}
}

func speechOpener(b kernels.Backend, clips [][]float32) opener {
	return func(dir string, o kernels.Options) (quantize.Runner, error) {
		r, err := speech.Open(dir, b, speech.Options{Compile: o})
		if err != nil {
			return nil, err
		}
		s, err := r.NewSession()
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		return runner{
			func(ctx context.Context, i int) ([]float32, error) {
				if _, err := s.Transcribe(ctx, clips[i], ""); err != nil {
					return nil, err
				}
				return s.Hidden(), nil
			},
			func() error { return errors.Join(s.Close(), r.Close()) },
		}, nil
	}
}

func sentenceOpener(b kernels.Backend, lines []string) opener {
	return func(dir string, o kernels.Options) (quantize.Runner, error) {
		m, err := embed.OpenText(dir, b, embed.Options{Compile: o})
		if err != nil {
			return nil, err
		}
		s, err := m.NewSession()
		if err != nil {
			return nil, errors.Join(err, m.Close())
		}
		return runner{
			func(ctx context.Context, i int) ([]float32, error) { return s.Encode(ctx, lines[i]) },
			func() error { return errors.Join(s.Close(), m.Close()) },
		}, nil
	}
}

// longestSample bounds the tokens of a line that a language model reads.
const longestSample = 256

func languageOpener(b kernels.Backend, lines []string) opener {
	return func(dir string, o kernels.Options) (quantize.Runner, error) {
		m, err := generate.Open(dir, b, generate.Options{Compile: o})
		if err != nil {
			return nil, err
		}
		s, err := m.NewSession()
		if err != nil {
			return nil, errors.Join(err, m.Close())
		}
		return runner{
			func(ctx context.Context, i int) ([]float32, error) {
				ids := m.Tokenizer().Encode(lines[i])
				if len(ids) == 0 {
					return nil, fmt.Errorf("the line %q has no tokens", lines[i])
				}
				return s.Logits(ctx, ids[:min(len(ids), longestSample)])
			},
			func() error { return errors.Join(s.Close(), m.Close()) },
		}, nil
	}
}
