package listen

import (
	"context"
	"slices"
	"time"

	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/vad"
	"github.com/kuai-robot/kuai/robot"
)

// Hear takes the next frame of the microphone.
func (l *Listener) Hear(ctx context.Context, frame robot.Clip) error {
	l.mu.Lock()
	l.microphone = frame.Microphone
	l.mu.Unlock()
	speaking := l.withoutOwnVoice(&frame)
	if err := l.detect(ctx, frame.At.Add(frameTime(frame.Samples))); err != nil {
		return err
	}
	l.mu.Lock()
	pressed := l.pressed
	l.mu.Unlock()
	if (speaking || l.config.Push) && !pressed {
		l.goDeaf()
		return nil
	}
	l.deaf = false
	if len(l.chunk) == 0 {
		l.chunkAt = frame.At
	}
	l.chunk = append(l.chunk, l.clean...)
	for len(l.chunk) >= vad.Chunk {
		if err := l.hearChunk(ctx, l.chunkAt, l.chunk[:vad.Chunk]); err != nil {
			return err
		}
		l.chunk = l.chunk[:copy(l.chunk, l.chunk[vad.Chunk:])]
		l.chunkAt = l.chunkAt.Add(vad.Chunk * time.Second / audio.Rate)
	}
	return nil
}

// detect lets the detector hear the frame, which ended at end.
func (l *Listener) detect(ctx context.Context, end robot.Time) error {
	if l.config.Detector == nil {
		return nil
	}
	hits, err := l.config.Detector.Process(ctx, l.clean)
	if err != nil {
		l.config.Detector.Reset()
		return err
	}
	for _, h := range hits {
		// A stop that was doubted is told when the echo is long over; its word ended before.
		at := end.Add(-h.Late)
		if after := at.Sub(l.ownWord); l.ownWord != 0 && after > -ownLate && after < ownEcho {
			continue
		}
		l.config.Word(h, at)
	}
	return nil
}

func frameTime(samples []float32) time.Duration {
	return time.Duration(len(samples)) * time.Second / audio.Rate
}

// withoutOwnVoice sets clean to the frame less what the loudspeaker plays, and
// says whether it does.
func (l *Listener) withoutOwnVoice(frame *robot.Clip) (speaking bool) {
	l.clean = append(l.clean[:0], frame.Samples...)
	if l.config.Echo == nil {
		return false
	}
	l.played = slices.Grow(l.played[:0], len(frame.Samples))[:len(frame.Samples)]
	speaking = l.config.Echo.Played(l.played, frame.At)
	if speaking {
		l.canceller.Cancel(l.clean, l.played)
	}
	l.hearOwn(speaking, frame.At)
	return speaking
}

// hearOwn notes a word that the robot says itself.
func (l *Listener) hearOwn(speaking bool, at robot.Time) {
	if l.config.Own == nil {
		return
	}
	if !speaking {
		if l.speaking {
			l.config.Own.Reset()
		}
		l.speaking = false
		return
	}
	l.speaking = true
	hits, err := l.config.Own.Process(context.Background(), l.played)
	if err != nil {
		l.config.Own.Reset() // a person's word counts all the more
		return
	}
	if len(hits) > 0 {
		l.ownWord = at.Add(frameTime(l.played))
	}
}

// goDeaf forgets a segment that the robot has begun to speak into.
func (l *Listener) goDeaf() {
	if l.deaf {
		return
	}
	l.deaf = true
	l.forget()
}

func (l *Listener) forget() {
	l.chunk = l.chunk[:0]
	l.config.Voice.Reset()
	l.mu.Lock()
	l.segments.Finish()
	l.number++
	l.mu.Unlock()
	l.drop()
}

// drop ends a guess that is of no use any more.
func (l *Listener) drop() {
	if cancel := l.cancel.Load(); cancel != nil {
		(*cancel)()
	}
}

func (l *Listener) hearChunk(ctx context.Context, at robot.Time, samples []float32) error {
	p, err := l.config.Voice.Hear(ctx, samples)
	if err != nil {
		return err
	}
	l.mu.Lock()
	if l.pressed {
		l.hold(at, samples, p)
		l.mu.Unlock()
		return nil
	}
	event := l.segments.Add(at, samples, p)
	if event == vad.Began {
		l.number++
		l.guessed, l.condition = 0, clipping{}
		l.counts.segments.Add(1)
	}
	if l.segments.Inside() || event == vad.Cut {
		l.condition.add(samples)
	}
	s := l.segments.Segment()
	if l.early.number == l.number && s.Spoken == len(s.Samples) {
		l.early.voiced += vad.Chunk
	}
	var final *segment
	switch event {
	case vad.Ended, vad.Cut:
		if l.more() {
			f := l.take(s)
			f.cut = event == vad.Cut
			final = &f
		}
	case vad.Paused:
		l.tryGuess(s, true)
	default:
		if l.segments.Inside() && l.config.Partial > 0 && s.Spoken-l.guessed >= int(l.config.Partial*audio.Rate/time.Second) {
			l.tryGuess(s, false)
		}
	}
	l.mu.Unlock()
	if event == vad.Resumed {
		l.drop()
	}
	if event == vad.Began && l.config.Talking != nil {
		l.config.Talking(Utterance{Microphone: l.microphone, At: s.At})
	}
	if final != nil {
		return l.finish(ctx, *final)
	}
	l.maybeEarly()
	return nil
}

// take makes a final segment of s. l.mu is held.
func (l *Listener) take(s *vad.Segment) segment {
	end := min(len(s.Samples), s.Spoken+trailing)
	var after *told
	if l.early.number == l.number && l.early.text != "" {
		before := l.early
		after = &before
	}
	return segment{
		after: after, number: l.number, microphone: l.microphone, at: s.At, samples: slices.Clone(s.Samples[:end]), spoken: s.Spoken,
		decided: l.config.Clock.Now(), clipped: l.condition.share(),
	}
}

// trailing is how much of the silence after the last word the recogniser hears:
// a soft consonant may be in it.
const trailing = 1600

// tryGuess lets the recogniser hear what there is; paused: it may be all. l.mu is
// held.
func (l *Listener) tryGuess(s *vad.Segment, paused bool) {
	if l.config.Patient || s.Spoken == 0 {
		return
	}
	l.guessed = s.Spoken
	l.counts.guesses.Add(1)
	g := l.take(s)
	g.paused = paused
	l.guess.Put(g)
}

// maybeEarly looks whether the newest guess is a whole command, after which
// nothing more was said.
func (l *Listener) maybeEarly() {
	if l.config.Early <= 0 || l.config.Complete == nil {
		return
	}
	if early, ok := l.earlyEnd(); ok {
		l.send(early)
	}
}

// sureEnough is the confidence from which a text may end a segment early.
const sureEnough = 0.5

// finish hands a segment to the recogniser.
func (l *Listener) finish(ctx context.Context, s segment) error {
	if l.config.Patient {
		return l.recognise(ctx, &s)
	}
	l.send(s)
	return nil
}

func (l *Listener) send(s segment) {
	select {
	case l.finals <- s:
	default:
		l.counts.dropped.Add(1)
		l.config.Heard(l.utterance(&s, Busy))
	}
}

// Press begins a segment that lasts until Release, whatever it holds.
func (l *Listener) Press(at robot.Time) {
	l.forget()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pressed = true
	l.condition = clipping{}
	l.guessed = 0
	l.held = vad.Segment{At: at, Samples: l.held.Samples[:0]}
	l.counts.segments.Add(1)
}

// hold adds to what is said while the button is pressed. l.mu is held.
func (l *Listener) hold(at robot.Time, samples []float32, p float32) {
	h := &l.held
	if len(h.Samples) == 0 {
		h.At = at
	}
	h.Samples = append(h.Samples, samples...)
	l.condition.add(samples)
	if p >= heldVoice {
		h.Spoken = len(h.Samples)
	}
	if h.Spoken > 0 && len(h.Samples) == h.Spoken+2*vad.Chunk {
		l.tryGuess(h, true)
	}
}

// heldVoice is the probability from which somebody who holds the button speaks.
const heldVoice = 0.35

// Release ends what Press began. cut: nobody let go, so that it may be half a
// sentence.
func (l *Listener) Release(ctx context.Context, cut bool) error {
	l.mu.Lock()
	if !l.pressed {
		l.mu.Unlock()
		return nil
	}
	l.pressed = false
	rest := l.chunk
	l.held.Samples = append(l.held.Samples, rest...)
	l.chunk = l.chunk[:0]
	s := l.take(&l.held)
	if cut {
		s.problem = Lost
	} else if l.held.Spoken == 0 {
		s.problem = NoSpeech
	}
	l.mu.Unlock()
	return l.finish(ctx, s)
}

// Finish ends what is being said, as silence would: a file is over.
func (l *Listener) Finish(ctx context.Context) error {
	l.mu.Lock()
	inside := l.segments.Inside() && l.more()
	s := l.take(l.segments.Segment())
	l.segments.Finish()
	l.mu.Unlock()
	if !inside {
		return nil
	}
	return l.finish(ctx, s)
}

// Settle waits until everything that is over has been told.
func (l *Listener) Settle(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case l.finals <- segment{settled: done}:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Lost says that the microphone is gone: what was being said is not believed.
func (l *Listener) Lost(ctx context.Context) error {
	l.mu.Lock()
	inside, pressed := l.segments.Inside() && l.more(), l.pressed
	s := l.take(l.segments.Segment())
	l.mu.Unlock()
	if pressed {
		return l.Release(ctx, true)
	}
	l.forget()
	if !inside {
		return nil
	}
	s.problem = Lost
	return l.finish(ctx, s)
}
