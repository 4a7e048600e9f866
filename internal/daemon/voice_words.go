package daemon

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kuai-robot/kuai/fusion/confirm"
	"github.com/kuai-robot/kuai/fusion/listen"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/keyword"
)

// buildWords loads what hears stop and wake words.
func (v *voice) buildWords() (err error) {
	if len(v.config.StopWords) == 0 && v.config.Listen != config.ListenWake {
		return nil
	}
	// A word takes a fraction of a millisecond, which more threads do not shorten.
	if v.words, err = keyword.Builtin(cpu.New(cpu.Options{Threads: 1})); err != nil {
		return err
	}
	v.daemon.closers = append(v.daemon.closers, v.words.Close)
	v.opinions = newOpinions(v.ears)
	return nil
}

// detector gives what hears words for one more microphone, nil for none. own is
// for what the robot says itself: it is easier to convince of a stop word, and asks
// nobody.
func (v *voice) detector(own bool) (listen.Detector, error) {
	if v.words == nil {
		return nil, nil
	}
	var groups []keyword.Group
	var doubts *doubter
	if len(v.config.StopWords) > 0 {
		g := keyword.Stop()
		g.Words, g.Threshold = v.config.StopWords, float32(v.config.StopScore)
		if own {
			g.Threshold *= ownEase
		} else {
			doubts = &doubter{d: confirm.NewDoubter(v.opinions, g.Threshold, sureAlone), alone: g.Threshold, hold: v.hold}
			g = doubtful(g)
		}
		groups = append(groups, g)
	}
	if v.config.Listen == config.ListenWake {
		g := keyword.Wake()
		// Others are found in the text alone.
		g.Words = slices.DeleteFunc(slices.Clone(v.config.WakeWords), func(w string) bool { return !slices.Contains(keyword.Words(), w) })
		if len(g.Words) > 0 {
			groups = append(groups, g)
		}
	}
	if len(groups) == 0 {
		return nil, nil
	}
	d, err := v.words.NewDetector(groups...)
	if err != nil {
		return nil, fmt.Errorf("voice: %w", err)
	}
	v.daemon.closers = append(v.daemon.closers, d.Close)
	return &wordDetector{d: d, doubts: doubts}, nil
}

// toneAlone is a word that nobody is asked about: only its tone tells it from others,
// which the second opinion does not hear.
const toneAlone = "停"

// wordDetector is a keyword.Detector as a listener takes it.
type wordDetector struct {
	d      *keyword.Detector
	doubts *doubter // nil: every hit is believed
	hits   []listen.Hit
}

// Process implements listen.Detector.
func (w *wordDetector) Process(ctx context.Context, samples []float32) ([]listen.Hit, error) {
	found, err := w.d.Process(ctx, samples)
	w.hits = w.hits[:0]
	var doubted *listen.Hit
	for _, f := range found {
		h := listen.Hit{Group: f.Group, Word: f.Word, Score: f.Score, Late: time.Duration(f.Heard-f.End) * time.Second / audio.Rate}
		switch {
		case w.doubts == nil || h.Group != keyword.Stop().Name:
			w.hits = append(w.hits, h)
		case h.Word != toneAlone:
			doubted = &h
		case h.Score >= w.doubts.alone:
			w.hits = append(w.hits, h)
		}
	}
	if w.doubts != nil && err == nil {
		if h, stop := w.doubts.step(samples, doubted); stop {
			w.hits = append(w.hits, h)
		}
	}
	return w.hits, err
}

// Reset implements listen.Detector.
func (w *wordDetector) Reset() {
	w.d.Reset()
	if w.doubts != nil {
		w.doubts.d.Reset()
	}
}
