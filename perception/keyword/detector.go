package keyword

import (
	"context"
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/perception/audio"
)

const (
	// smoothed is over how many steps the probability of a group is averaged.
	smoothed = 3
	// late is how many samples after the end of its word a hit typically comes.
	late = 100 * audio.Rate / 1000
	// floor is added to the power in a band; log10 and a line make a row of it.
	floor = 1e-7
)

// Hit is a word that was heard.
type Hit struct {
	Group, Word string
	// Score is how probable it is that one of the group's words was said.
	Score float32
	// End is the sample at which the word is thought to have ended, Heard the
	// last one that was heard by then; 0 is the first after the start or Reset.
	End, Heard int64
}

// listener follows one group.
type listener struct {
	group   Group
	classes []int
	recent  [smoothed]float32
	// told is how many of the thresholds a word was reported for since it was quiet.
	told int
}

// Detector follows one microphone. It belongs to one goroutine at a time.
type Detector struct {
	model     *Model
	kernels   *kernels.Session
	mel       *audio.LogMel
	listeners []listener

	pending []float32 // samples of the windows to come; fewer than heard between calls
	powers  [rows * bands]float32
	window  [window * bands]float32 // rows, the newest last
	steps   int64
	hits    []Hit
}

// NewDetector begins in silence and listens for the words of groups.
func (m *Model) NewDetector(groups ...Group) (*Detector, error) {
	d := &Detector{model: m, pending: make([]float32, 0, heard), hits: make([]Hit, 0, 8*len(groups))}
	for _, g := range groups {
		classes, err := g.classes()
		if err != nil {
			return nil, err
		}
		d.listeners = append(d.listeners, listener{group: g, classes: classes})
	}
	var err error
	if d.mel, err = audio.NewLogMel(bands); err != nil {
		return nil, err
	}
	if d.kernels, err = m.program.NewSession(); err != nil {
		return nil, err
	}
	d.Reset()
	return d, nil
}

// Close frees the memory of the detector.
func (d *Detector) Close() error { return d.kernels.Close() }

// Reset forgets what was heard and counts samples from 0.
func (d *Detector) Reset() {
	for _, s := range d.model.states {
		clear(d.kernels.F32(s))
	}
	for i := range d.window {
		d.window[i] = feature(0)
	}
	d.pending, d.steps = d.pending[:0], 0
	for i := range d.listeners {
		d.listeners[i].recent, d.listeners[i].told = [smoothed]float32{}, 0
	}
}

// feature is the logarithm of a band's power, about 0 for speech.
func feature(power float32) float32 {
	return float32((math.Log10(float64(power)+floor) + 3) / 2)
}

// Process hears samples, which follow those of the call before, and gives the
// words that have ended, valid until the next call. NaN and infinite samples are
// an error, and nothing of samples is heard then.
func (d *Detector) Process(ctx context.Context, samples []float32) ([]Hit, error) {
	for i, x := range samples {
		if x != x || math.IsInf(float64(x), 0) {
			return nil, fmt.Errorf("stop word: sample %d is NaN or infinite", i)
		}
	}
	d.hits = d.hits[:0]
	for len(samples) > 0 {
		n := min(len(samples), heard-len(d.pending))
		for _, x := range samples[:n] {
			d.pending = append(d.pending, max(-1, min(x, 1)))
		}
		samples = samples[n:]
		if len(d.pending) < heard {
			break
		}
		if err := d.hear(ctx); err != nil {
			return nil, err
		}
		kept := copy(d.pending, d.pending[step:])
		d.pending = d.pending[:kept]
	}
	return d.hits, nil
}

// hear runs one step over the samples that are pending.
func (d *Detector) hear(ctx context.Context) error {
	in := d.kernels.F32(d.model.rows)
	if in == nil {
		return kernels.ErrClosed
	}
	d.mel.Powers(d.powers[:], d.pending)
	copy(d.window[:], d.window[rows*bands:])
	for i, p := range d.powers {
		d.window[(window-rows)*bands+i] = feature(p)
	}
	copy(in, d.window[:])
	if err := d.kernels.Run(ctx); err != nil {
		return err
	}
	p := d.kernels.F32(d.model.probability)
	now := d.steps*step + heard
	for i := range d.listeners {
		if hit, ok := d.listeners[i].judge(p, int(d.steps%smoothed)); ok {
			hit.Heard, hit.End = now, max(0, now-late)
			d.hits = append(d.hits, hit)
		}
	}
	d.steps++
	return nil
}

// judge takes the probabilities of a step, the at-th of those averaged over.
func (l *listener) judge(p []float32, at int) (Hit, bool) {
	sum, best := float32(0), l.classes[0]
	for _, c := range l.classes {
		sum += p[c]
		if p[c] > p[best] {
			best = c
		}
	}
	l.recent[at] = sum
	mean := float32(0)
	for _, x := range l.recent {
		mean += x / smoothed
	}
	for l.told > 0 && mean < l.threshold(l.told-1)/2 {
		l.told--
	}
	told := l.told
	for l.told <= len(l.group.Again) && mean >= l.threshold(l.told) {
		l.told++
	}
	return Hit{Group: l.group.Name, Word: words[best-1], Score: mean}, l.told > told
}

// threshold gives the i-th.
func (l *listener) threshold(i int) float32 {
	if i == 0 {
		return l.group.Threshold
	}
	return l.group.Again[i-1]
}
