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
	// Late holds, for each stop that was heard, ms from the end of its word until
	// the sample with which it was heard; 0 where it was heard before.
	Late []float64
	// Quiet is by kind of sound: "en", "zh", a kind of noise, "people".
	Quiet map[string]*Stretch
	// Load is the part of one core that the detector takes in real time.
	Load float64
}

// trial is one in progress.
type trial struct {
	options  Options
	draw     *rand.Rand
	detector *keyword.Detector
	report   Report
	busy     float64 // seconds in the detector
	heard    float64 // seconds of sound
}

// Run lets a detector of model hear it all.
func Run(ctx context.Context, model *keyword.Model, o Options) (report *Report, err error) {
	if _, err := exec.LookPath("espeak-ng"); err != nil {
		return nil, errNoVoice
	}
	detector, err := model.NewDetector(keyword.Stop())
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
		all = append(all, hits...)
	}
	t.busy += t.options.Clock.Now().Sub(start).Seconds()
	t.heard += float64(len(samples)) / audio.Rate
	return all, nil
}

func (t *trial) tell(progress string) {
	if t.options.Tell != nil {
		t.options.Tell(progress)
	}
}
