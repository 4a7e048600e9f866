package trial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"time"

	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/keyword"
	"github.com/kuai-robot/kuai/robot"
)

// Options of a trial.
type Options struct {
	Seed uint64
	// Each is how often every voice says every word.
	Each int
	// Hours of speech and noise without a stop word.
	Hours float64
	// Confirm, if it is set, hears the last Before samples up to a hit of which
	// the detector is not sure, and decides; Group is then what asks it, with
	// rising thresholds, and from Sure on a hit needs no second opinion.
	Confirm func(ctx context.Context, samples []float32, score float32) (bool, error)
	Before  int
	Group   keyword.Group
	Sure    float32
	// From Alone on a hit is believed when there is no answer after Patience.
	Alone    float32
	Patience time.Duration
	// Clock measures how fast the detector is.
	Clock robot.Clock
	// Tell, if it is set, is told how far the trial is.
	Tell func(progress string)
	// Log, if it is set, gets a line for each mistake.
	Log io.Writer
}

// Stretch is sound without a stop word and how often one was heard in it.
type Stretch struct {
	Hours float64
	Stops int
}

// PerHour is how often a stop is heard in an hour.
func (s Stretch) PerHour() float64 {
	if s.Hours == 0 {
		return 0
	}
	return float64(s.Stops) / s.Hours
}

// Report is what a trial found.
type Report struct {
	BySNR  map[float64]*Tally
	ByWord map[string]*Tally
	// OtherEngine is what flite's voice said.
	OtherEngine Tally
	// Near words that were taken for a stop count as missed.
	Near Tally
	// TooLate words by espeak-ng count as missed and were heard, after Late.
	TooLate int
	// Late holds, for each stop that was heard, ms from the end of its word until
	// the sample with which it was heard; 0 where it was heard before.
	Late []float64
	// Quiet is by kind of sound: "en", "zh", a kind of noise, "people".
	Quiet map[string]*Stretch
	// Load is the part of one core that the detector takes in real time.
	Load float64
	// Asked is how many hits were heard a second time, AskedQuiet those where there
	// was no word, Refused how many were none then, Thinking how long that took, in
	// ms each.
	Asked, AskedQuiet, Refused int
	Thinking                   []float64
}

// trial is one in progress.
type trial struct {
	options  Options
	draw     *rand.Rand
	detector *keyword.Detector
	report   Report
	past     []float32 // what the detector heard last
	stopped  int64     // when the last stop was confirmed, as keyword.Hit.Heard
	busy     float64   // seconds in the detector
	heard    float64   // seconds of sound
}

// Run lets a detector of model hear it all.
func Run(ctx context.Context, model *keyword.Model, o Options) (report *Report, err error) {
	if _, err := exec.LookPath("espeak-ng"); err != nil {
		return nil, errNoVoice
	}
	group := keyword.Stop()
	if o.Confirm != nil {
		group = o.Group
	}
	detector, err := model.NewDetector(group)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, detector.Close()) }()
	t := &trial{options: o, draw: rand.New(rand.NewPCG(o.Seed, 6)), detector: detector}
	t.report = Report{BySNR: map[float64]*Tally{}, ByWord: map[string]*Tally{}, Quiet: map[string]*Stretch{}}
	for _, snr := range SNRs {
		t.report.BySNR[snr] = &Tally{}
	}
	for _, w := range keyword.Stop().Words {
		t.report.ByWord[w] = &Tally{}
	}
	for _, part := range []func(context.Context) error{t.words, t.nearWords, t.quiet, t.people} {
		if err := part(ctx); err != nil {
			return nil, err
		}
	}
	t.report.Load = t.busy / t.heard
	return &t.report, nil
}

// hear gives the detector samples as a microphone would, 20 ms at a time.
func (t *trial) hear(ctx context.Context, samples []float32) ([]keyword.Hit, error) {
	const piece = audio.Rate / 50
	start := t.options.Clock.Now()
	var all []keyword.Hit
	for at := 0; at < len(samples); at += piece {
		hits, err := t.detector.Process(ctx, samples[at:min(at+piece, len(samples))])
		if err != nil {
			return nil, fmt.Errorf("trial: %w", err)
		}
		t.remember(samples[at:min(at+piece, len(samples))])
		if hits, err = t.confirmed(ctx, hits); err != nil {
			return nil, err
		}
		all = append(all, hits...)
	}
	t.busy += t.options.Clock.Now().Sub(start).Seconds()
	t.heard += float64(len(samples)) / audio.Rate
	return all, nil
}

// remember keeps what a second opinion is asked about.
func (t *trial) remember(samples []float32) {
	t.past = append(t.past, samples...)
	if more := len(t.past) - t.options.Before; more > 0 {
		t.past = t.past[:copy(t.past, t.past[more:])]
	}
}

// confirmed gives those of hits that the second opinion agrees with, as much
// later as it took to find out.
func (t *trial) confirmed(ctx context.Context, hits []keyword.Hit) ([]keyword.Hit, error) {
	if t.options.Confirm == nil {
		return hits, nil
	}
	var kept []keyword.Hit
	for _, h := range hits {
		if t.stopped != 0 && h.Heard-t.stopped < audio.Rate {
			continue // the robot stands already
		}
		if h.Score >= t.options.Sure {
			t.stopped = h.Heard
			kept = append(kept, h)
			continue
		}
		start := t.options.Clock.Now()
		clip := make([]float32, t.options.Before)
		copy(clip[len(clip)-len(t.past):], t.past)
		yes, err := t.options.Confirm(ctx, clip, h.Score)
		if err != nil {
			return nil, err
		}
		took := t.options.Clock.Now().Sub(start)
		if took > t.options.Patience && h.Score >= t.options.Alone {
			yes, took = true, t.options.Patience
		}
		t.report.Asked++
		t.report.Thinking = append(t.report.Thinking, took.Seconds()*1e3)
		if !yes {
			t.report.Refused++
			continue
		}
		t.stopped = h.Heard
		h.Heard += int64(took.Seconds() * audio.Rate)
		kept = append(kept, h)
	}
	return kept, nil
}

// reset begins in silence.
func (t *trial) reset() {
	t.detector.Reset()
	t.past, t.stopped = t.past[:0], 0
}

func (t *trial) tell(progress string) {
	if t.options.Tell != nil {
		t.options.Tell(progress)
	}
}
