package confirm

import (
	"sync/atomic"
	"time"

	"github.com/kuai-robot/kuai/perception/audio"
)

const (
	// After is how much of what follows a hit is heard before anybody is asked:
	// whether a word ends or goes on tells most.
	After = 160 * time.Millisecond
	// Patience is how long an answer may take.
	Patience = 160 * time.Millisecond
	// word is for how long what is heard after a stop may be the same word.
	word = audio.Rate / 2
)

// Verdict is what to do about what was just heard.
type Verdict uint8

const (
	// Nothing to do.
	Nothing Verdict = iota
	// Hold: it may be a stop. Brake, and go on if no Stop follows.
	Hold
	// Stop: it was one.
	Stop
)

// Judge answers questions, sooner or later.
type Judge interface {
	// Ready says whether anybody is there to answer.
	Ready() bool
	// Ask takes a question, or gives false where too many wait.
	Ask(q *Question) bool
}

// Question is whether a stop word ends in Samples. Whoever was asked has it until
// he calls Answer, from any goroutine.
type Question struct {
	Samples [Heard]float32
	Score   float32

	answer atomic.Int32
}

// Answers.
const (
	waiting = iota
	isStop
	isNone
	unknown // nobody could say
)

// Answer says whether it was a stop; an error: nobody could tell.
func (q *Question) Answer(stop bool, err error) {
	switch {
	case err != nil:
		q.answer.Store(unknown)
	case stop:
		q.answer.Store(isStop)
	default:
		q.answer.Store(isNone)
	}
}

// Doubter decides about the hits of one microphone. It belongs to the goroutine
// that captures.
type Doubter struct {
	judge Judge
	// From alone on a hit is believed where nobody answers, from sure on at once.
	alone, sure float32

	past    []float32
	heard   int64
	stopped int64 // when a stop was last believed; 0: never
	begun   int64 // when the hit came that is doubted; 0: none is
	score   float32
	asked   *Question // about it
	askedAt int64
	free    *Question
}

// NewDoubter gives one that has heard nothing.
func NewDoubter(judge Judge, alone, sure float32) *Doubter {
	return &Doubter{judge: judge, alone: alone, sure: sure, past: make([]float32, 0, Heard+audio.Rate), free: &Question{}}
}

// Step takes the samples that follow, at most a second, and the score of the hit
// that came with them, 0 for none.
func (d *Doubter) Step(samples []float32, score float32) Verdict {
	d.remember(samples)
	if d.stopped != 0 && d.heard-d.stopped < word {
		return Nothing
	}
	if score >= d.sure {
		return d.stop()
	}
	if score > 0 {
		if !d.judge.Ready() {
			return d.decideAlone(score)
		}
		if d.begun == 0 {
			d.begun, d.score = d.heard, 0
		}
		d.score = max(d.score, score)
	}
	switch {
	case d.begun == 0:
		return Nothing
	case d.asked == nil && d.since(d.begun) < After:
		return Hold
	case d.asked == nil:
		return d.ask()
	}
	return d.hear()
}

// decideAlone is for when nobody else can.
func (d *Doubter) decideAlone(score float32) Verdict {
	if score >= d.alone {
		return d.stop()
	}
	d.begun, d.asked = 0, nil
	return Nothing
}

func (d *Doubter) ask() Verdict {
	q := d.free
	if q == nil {
		q = &Question{}
	}
	q.Score = d.score
	q.answer.Store(waiting)
	clear(q.Samples[:])
	copy(q.Samples[len(q.Samples)-len(d.past):], d.past)
	if !d.judge.Ask(q) {
		return d.decideAlone(d.score)
	}
	d.asked, d.askedAt, d.free = q, d.heard, nil
	return Hold
}

// hear looks whether there is an answer.
func (d *Doubter) hear() Verdict {
	switch d.asked.answer.Load() {
	case waiting:
		if d.since(d.askedAt) < Patience {
			return Hold
		}
		d.asked = nil // whoever has it keeps it
		return d.decideAlone(d.score)
	case isStop:
		d.free = d.asked
		return d.stop()
	case unknown:
		d.free = d.asked
		return d.decideAlone(d.score)
	}
	d.free, d.asked, d.begun = d.asked, nil, 0
	return Nothing
}

func (d *Doubter) stop() Verdict {
	d.stopped, d.begun, d.asked = d.heard, 0, nil
	return Stop
}

func (d *Doubter) since(sample int64) time.Duration {
	return time.Duration(d.heard-sample) * time.Second / audio.Rate
}

func (d *Doubter) remember(samples []float32) {
	d.heard += int64(len(samples))
	d.past = append(d.past, samples...)
	if more := len(d.past) - Heard; more > 0 {
		d.past = d.past[:copy(d.past, d.past[more:])]
	}
}

// Reset forgets what was heard and doubted.
func (d *Doubter) Reset() { d.past, d.begun, d.asked = d.past[:0], 0, nil }
