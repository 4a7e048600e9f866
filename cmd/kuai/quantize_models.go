package main

import (
	"context"
	"errors"
	"fmt"
	"io"

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

// openerOf opens a model and a session of it, and puts samples through that.
func openerOf[M, S io.Closer](
	open func(dir string, o kernels.Options) (M, error), session func(M) (S, error), run func(ctx context.Context, m M, s S, sample int) ([]float32, error),
) opener {
	return func(dir string, o kernels.Options) (quantize.Runner, error) {
		m, err := open(dir, o)
		if err != nil {
			return nil, err
		}
		s, err := session(m)
		if err != nil {
			return nil, errors.Join(err, m.Close())
		}
		return runner{
			func(ctx context.Context, sample int) ([]float32, error) { return run(ctx, m, s, sample) },
			func() error { return errors.Join(s.Close(), m.Close()) },
		}, nil
	}
}

func visionOpener(b kernels.Backend, frames []*robot.Frame) opener {
	return openerOf(
		func(dir string, o kernels.Options) (*vision.Model, error) {
			return vision.Open(dir, b, vision.Options{Compile: o})
		}, (*vision.Model).NewSession,
		func(ctx context.Context, _ *vision.Model, s *vision.Session, i int) ([]float32, error) {
			return s.Encode(ctx, frames[i])
		})
}

func speechOpener(b kernels.Backend, clips [][]float32) opener {
	return openerOf(
		func(dir string, o kernels.Options) (*speech.Recogniser, error) {
			return speech.Open(dir, b, speech.Options{Compile: o})
		}, (*speech.Recogniser).NewSession,
		func(ctx context.Context, _ *speech.Recogniser, s *speech.Session, i int) ([]float32, error) {
			if _, err := s.Transcribe(ctx, clips[i], ""); err != nil {
				return nil, err
			}
			return s.Hidden(), nil
		})
}

func sentenceOpener(b kernels.Backend, lines []string) opener {
	return openerOf(
		func(dir string, o kernels.Options) (*embed.Text, error) {
			return embed.OpenText(dir, b, embed.Options{Compile: o})
		}, (*embed.Text).NewSession,
		func(ctx context.Context, _ *embed.Text, s *embed.TextSession, i int) ([]float32, error) {
			return s.Encode(ctx, lines[i])
		})
}

// longestSample bounds the tokens of a line that a language model reads.
const longestSample = 256

func languageOpener(b kernels.Backend, lines []string) opener {
	return openerOf(
		func(dir string, o kernels.Options) (*generate.Model, error) {
			return generate.Open(dir, b, generate.Options{Compile: o})
		}, (*generate.Model).NewSession,
		func(ctx context.Context, m *generate.Model, s *generate.Session, i int) ([]float32, error) {
			ids := m.Tokenizer().Encode(lines[i])
			if len(ids) == 0 {
				return nil, fmt.Errorf("the line %q has no tokens", lines[i])
			}
			return s.Logits(ctx, ids[:min(len(ids), longestSample)])
		})
}
