package trial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"

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
	// Second, if it is set, decides about the hits of Group.
	Second Second
	Group  keyword.Group
	// Clock measures how fast the detector is.
	Clock robot.Clock
	// Tell, if it is set, is told how far the trial is.
	Tell func(progress string)
	// Log, if it is set, gets a line for each mistake.
	Log io.Writer
}

// Second decides about what the detector heard.
type Second interface {
	// Step takes the next piece of sound and the score of the hit that came with it,
	// 0 for none, and says whether the robot holds still or has to stop.
	Step(ctx context.Context, samples []float32, score float32) (hold, stop bool, err error)
	// Reset begins in silence.
	Reset()
	// Told says how many were asked about, how many of those were none, and how
	// long that took, in ms each.
	Told() (asked, refused int, thinking []float64)
}

// Stretch is sound without a stop word, how often one was heard in it, how often the
// robot held still because there might be one, and for how long in all.
type Stretch struct {
	Hours     float64
	Stops     int
	Holds     int
	HeldHours float64
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
	// the robot brakes, Sure until the stop is latched; 0 where that was before.
	Late, Sure []float64
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
	samples  int64   // since the last reset
	busy     float64 // seconds in the detector
	heard    float64 // seconds of sound
}

// Run lets a detector of model hear it all.
func Run(ctx context.Context, model *keyword.Model, o Options) (report *Report, err error) {
	if _, err := exec.LookPath("espeak-ng"); err != nil {
		return nil, errNoVoice
	}
	group := keyword.Stop()
	if o.Second != nil {
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
	if o.Second != nil {
		t.report.Asked, t.report.Refused, t.report.Thinking = o.Second.Told()
	}
	return &t.report, nil
}

// reaction is what the robot did about some sound: samples since the last reset at
// which it began to brake and at which a stop was latched, and how many it held for.
type reaction struct {
	braked, stopped []int64
	held            int64
}

// hear gives the detector samples as a microphone would, 20 ms at a time.
func (t *trial) hear(ctx context.Context, samples []float32) (r reaction, err error) {
	const piece = audio.Rate / 50
	start, holding := t.options.Clock.Now(), false
	for at := 0; at < len(samples); at += piece {
		part := samples[at:min(at+piece, len(samples))]
		hits, err := t.detector.Process(ctx, part)
		if err != nil {
			return r, fmt.Errorf("trial: %w", err)
		}
		t.samples += int64(len(part))
		hold, stop, err := t.decide(ctx, part, hits)
		if err != nil {
			return r, err
		}
		if (hold || stop) && !holding {
			r.braked = append(r.braked, t.samples)
		}
		if stop {
			r.stopped = append(r.stopped, t.samples)
		} else if hold {
			r.held += int64(len(part))
		}
		holding = hold
	}
	t.busy += t.options.Clock.Now().Sub(start).Seconds()
	t.heard += float64(len(samples)) / audio.Rate
	return r, nil
}

// decide says what the robot does about the hits in a piece of sound.
func (t *trial) decide(ctx context.Context, part []float32, hits []keyword.Hit) (hold, stop bool, err error) {
	if t.options.Second == nil {
		return false, len(hits) > 0, nil
	}
	score := float32(0)
	for _, h := range hits {
		score = max(score, h.Score)
	}
	return t.options.Second.Step(ctx, part, score)
}

// asked is how many second opinions were asked for so far.
func (t *trial) asked() int {
	if t.options.Second == nil {
		return 0
	}
	n, _, _ := t.options.Second.Told()
	return n
}

// reset begins in silence.
func (t *trial) reset() {
	t.detector.Reset()
	t.samples = 0
	if t.options.Second != nil {
		t.options.Second.Reset()
	}
}

func (t *trial) tell(progress string) {
	if t.options.Tell != nil {
		t.options.Tell(progress)
	}
}
