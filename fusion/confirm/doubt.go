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
	// Later is how much is heard before somebody who was not sure is asked again.
	Later = 400 * time.Millisecond
	// Patience is how long an answer may take, LastPatience one to a last question,
	// for which Whisper writes what it heard.
	Patience     = 160 * time.Millisecond
	LastPatience = 400 * time.Millisecond
	// sameWord is for how long what is heard after a stop may be the same word.
	sameWord = audio.Rate / 2
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
	Samples [Longest]float32
	// Score is the detector's.
	Score float32
	// Last: nobody is asked again. First is in how many nats the answer before was
	// sure of a stop.
	Last  bool
	First float64

	answer atomic.Int32
	nats   float64 // valid once there is an answer
}

// Answers; others are a Verdict.
const (
	waiting = -1
	unknown = -2 // nobody could say
)

// Answer says what it was, and how sure of a stop that is: Stop, Nothing, or Hold for
// a question that is not the last. An error: nobody could tell.
func (q *Question) Answer(v Verdict, nats float64, err error) {
	q.nats = nats
	if err != nil {
		q.answer.Store(unknown)
		return
	}
	q.answer.Store(int32(v))
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
	first   float64   // what was answered first
	unsure  bool      // and that it was not sure
	asked   *Question // about it
	askedAt int64
	free    *Question
}

// NewDoubter gives one that has heard nothing.
func NewDoubter(judge Judge, alone, sure float32) *Doubter {
	return &Doubter{judge: judge, alone: alone, sure: sure, past: make([]float32, 0, Longest+audio.Rate), free: &Question{}}
}

// Step takes the samples that follow, at most a second, and the score of the hit
// that came with them, 0 for none.
func (d *Doubter) Step(samples []float32, score float32) Verdict {
	d.remember(samples)
	if d.stopped != 0 && d.heard-d.stopped < sameWord {
		return Nothing
	}
	if score >= d.sure {
		return d.stop()
	}
	if score > 0 {
		if !d.judge.Ready() {
			return d.decideAlone(score)
		}
		d.doubt(score)
	}
	switch {
	case d.begun == 0:
		return Nothing
	case d.asked != nil:
		return d.hear()
	case d.since(d.begun) < d.next():
		return Hold
	}
	return d.ask()
}

// doubt notes a hit.
func (d *Doubter) doubt(score float32) {
	if d.begun == 0 {
		d.begun, d.score, d.unsure = d.heard, 0, false
	}
	d.score = max(d.score, score)
}

// next is how much is heard before the next question.
func (d *Doubter) next() time.Duration {
	if d.unsure {
		return Later
	}
	return After
}

// decideAlone is for when nobody else can.
func (d *Doubter) decideAlone(score float32) Verdict {
	if score >= d.alone {
		return d.stop()
	}
	return d.goOn()
}

// settle is for when nobody answered, or could: what somebody was unsure of is a stop.
func (d *Doubter) settle() Verdict {
	if d.unsure {
		return d.stop()
	}
	return d.decideAlone(d.score)
}

func (d *Doubter) ask() Verdict {
	q := d.free
	if q == nil {
		q = &Question{}
	}
	q.Score, q.Last, q.First = d.score, d.unsure, d.first
	q.answer.Store(waiting)
	clear(q.Samples[:])
	copy(q.Samples[len(q.Samples)-len(d.past):], d.past)
	if !d.judge.Ask(q) {
		return d.settle()
	}
	d.asked, d.askedAt, d.free = q, d.heard, nil
	return Hold
}

// hear looks whether there is an answer.
func (d *Doubter) hear() Verdict {
	q := d.asked
	answer := q.answer.Load()
	if answer == waiting {
		if d.since(d.askedAt) < q.patience() {
			return Hold
		}
		d.asked = nil // whoever has it keeps it
		return d.settle()
	}
	d.asked, d.free = nil, q
	switch {
	case answer == unknown:
		return d.settle()
	case answer == int32(Nothing):
		return d.goOn()
	case answer == int32(Stop) || q.Last:
		return d.stop()
	}
	d.unsure, d.first = true, q.nats
	return Hold
}

func (q *Question) patience() time.Duration {
	if q.Last {
		return LastPatience
	}
	return Patience
}

func (d *Doubter) goOn() Verdict {
	d.begun, d.asked, d.unsure = 0, nil, false
	return Nothing
}

func (d *Doubter) stop() Verdict {
	d.goOn()
	d.stopped = d.heard
	return Stop
}

func (d *Doubter) since(sample int64) time.Duration {
	return time.Duration(d.heard-sample) * time.Second / audio.Rate
}

func (d *Doubter) remember(samples []float32) {
	d.heard += int64(len(samples))
	d.past = append(d.past, samples...)
	if more := len(d.past) - Longest; more > 0 {
		d.past = d.past[:copy(d.past, d.past[more:])]
	}
}

// Reset forgets what was heard and doubted.
func (d *Doubter) Reset() {
	d.past = d.past[:0]
	d.goOn()
}
