package listen

import (
	"context"
	"time"

	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/vad"
)

// A text that is whole is told before the silence after it is long enough to be
// the end, so that people may go on: "put the red block in the blue bowl … and
// then push the green one to the left". The segment therefore goes on as well.
// Whatever is said in it afterwards is heard by itself first: what goes on with
// the sentence (Config.Joins) makes one of both, which is told again as a whole,
// with Utterance.Continues; anything else is an utterance of its own.

// told is what was told of a segment that may not be over.
type told struct {
	number uint64
	text   string
	upTo   int // samples of the segment that were there
	voiced int // samples since then in which somebody spoke
}

// more says whether anything was said after it was told. l.mu is held.
func (l *Listener) more() bool {
	return l.early.number != l.number || l.early.text == "" || l.early.voiced >= unsaid
}

const (
	// What follows a text that was told counts from this on: the room's echo of the
	// last word, or a click, is shorter.
	unsaid = 3 * vad.Chunk
	// restRoll is how much of what was heard before belongs to the rest.
	restRoll = audio.Rate / 8
)

// rest gives the piece of s after what was told of it.
func (s *segment) rest() segment {
	r := *s
	from := min(max(0, s.after.upTo-restRoll), len(s.samples))
	r.samples, r.spoken = s.samples[from:], s.spoken-from
	r.at = s.at.Add(frameTime(s.samples[:from]))
	r.after = nil
	return r
}

// recogniseRest tells what was said after s.after was told.
func (l *Listener) recogniseRest(ctx context.Context, s *segment) error {
	rest := s.rest()
	if len(rest.samples) == 0 {
		return nil
	}
	alone, err := l.conclude(ctx, &rest, &guess{spoken: -1})
	if err != nil {
		return l.fail(ctx, &rest, err)
	}
	problem := Judge(&alone)
	if problem == "" && l.config.Joins != nil && l.config.Joins(s.after.text, alone.Text) {
		whole, err := l.conclude(ctx, s, &guess{spoken: -1})
		if err != nil {
			return l.fail(ctx, s, err)
		}
		if Judge(&whole) == "" && l.config.Complete(whole.Text) {
			u := l.utterance(s, "")
			u.Result, u.Continues = whole, true
			l.tell(&u)
			return nil
		}
	}
	if problem != "" {
		return nil // a breath, a chair: what was told stands
	}
	u := l.utterance(&rest, "")
	u.Result = alone
	l.tell(&u)
	return nil
}

// tell hands on an utterance that may be believed.
func (l *Listener) tell(u *Utterance) {
	l.counts.believed.Add(1)
	l.config.Heard(*u)
}

// fail tells that s could not be recognised.
func (l *Listener) fail(ctx context.Context, s *segment, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	u := l.utterance(s, Broken)
	u.Err = err
	l.config.Heard(u)
	return nil
}

// earlyEnd gives the segment as far as it is a whole text, when nothing was said
// for Config.Early. What follows is listened to until it is over.
func (l *Listener) earlyEnd() (segment, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.segments.Segment()
	if !l.segments.Inside() || l.pressed || !l.more() {
		return segment{}, false
	}
	if l.last.number != l.number || s.Spoken > len(l.last.samples) || l.segments.Still() < l.enough() || !l.whole(&l.last.result) {
		return segment{}, false
	}
	f := l.take(s)
	f.early = true
	l.early = told{number: l.number, text: l.last.result.Text, upTo: len(s.Samples)}
	return f, true
}

// enough is how long nothing must have been said before the newest guess may be told:
// longer for a text that was chosen for want of a better one, for it may also be
// the beginning of another.
func (l *Listener) enough() time.Duration {
	if l.last.considered && l.last.result.Confidence < sureChosen {
		return doubtful * l.config.Early
	}
	return l.config.Early
}

const (
	// sureChosen is the confidence of a chosen text from which it is like any other.
	sureChosen = 0.58
	doubtful   = 2
)

// whole says whether r is a text that nobody need wait for more of.
func (l *Listener) whole(r *speech.Result) bool {
	return r.Confidence >= sureEnough && r.NoSpeech <= noSpeechLimit && !r.Repeats && l.config.Complete(r.Text)
}
