package listen

import (
	"context"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/perception/audio"
)

// Run recognises until ctx ends.
func (l *Listener) Run(ctx context.Context) error {
	for {
		select { // what somebody waits for goes first
		case s := <-l.finals:
			if err := l.recognise(ctx, &s); err != nil {
				return err
			}
			continue
		default:
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case s := <-l.finals:
			if err := l.recognise(ctx, &s); err != nil {
				return err
			}
		case <-l.guess.Ready():
			if s, ok := l.guess.Take(); ok {
				l.think(ctx, &s)
			}
		}
	}
}

// Work does what Run would do now, and waits for nothing: for whoever steps the
// clock from frame to frame. There is no Run then.
func (l *Listener) Work(ctx context.Context) error {
	for {
		select {
		case s := <-l.finals:
			if err := l.recognise(ctx, &s); err != nil {
				return err
			}
			continue
		default:
		}
		s, ok := l.guess.Take()
		if !ok {
			return nil
		}
		l.think(ctx, &s)
	}
}

// think hears a segment that may not be over.
func (l *Listener) think(ctx context.Context, s *segment) {
	l.mu.Lock()
	current := s.number == l.number
	before := l.last
	l.mu.Unlock()
	if !current {
		l.counts.wasted.Add(1)
		return
	}
	if before.number != s.number {
		before = guess{}
	}
	guessing, cancel := context.WithCancel(ctx)
	l.cancel.Store(&cancel)
	result, err := l.config.Recogniser.Again(guessing, s.samples, l.config.Language, &before.result)
	considered := false
	if err == nil && s.paused {
		considered = l.consider(guessing, s, &result)
	}
	l.cancel.Store(nil)
	cancel()
	if err != nil {
		l.counts.wasted.Add(1)
		return // the segment itself is heard later, and that error told
	}
	l.mu.Lock()
	l.last = guess{s.number, s.spoken, s.samples, result, considered}
	l.mu.Unlock()
	if l.config.Talking != nil {
		u := l.utterance(s, "")
		u.Result = result
		l.config.Talking(u)
	}
	l.maybeEarly()
}

// consider thinks once more about what was heard up to a pause, if it could be
// told early then, and says whether it did.
func (l *Listener) consider(ctx context.Context, s *segment, result *speech.Result) bool {
	r, ok := l.config.Recogniser.(Reconsiderer)
	if !ok || l.config.Early <= 0 || l.config.Complete == nil || l.whole(result) {
		return false
	}
	return r.Reconsider(ctx, s.samples, l.config.Language, result) == nil
}

// recognise tells what a segment that is over says.
func (l *Listener) recognise(ctx context.Context, s *segment) error {
	if s.settled != nil {
		close(s.settled)
		return nil
	}
	problem := s.problem
	if problem == "" && l.ownVoice(s) {
		problem = OwnVoice
	}
	if problem != "" {
		l.config.Heard(l.utterance(s, problem))
		return nil
	}
	if s.after != nil {
		return l.recogniseRest(ctx, s)
	}
	l.mu.Lock()
	before := l.last
	l.mu.Unlock()
	if before.number != s.number {
		before = guess{}
	}
	result, err := l.conclude(ctx, s, &before)
	if err != nil {
		return l.fail(ctx, s, err)
	}
	u := l.utterance(s, Judge(&result))
	u.Result = result
	if u.Problem == "" {
		l.counts.believed.Add(1)
	}
	l.config.Heard(u)
	return nil
}

// conclude gives what a segment that is over says; before is the newest guess.
func (l *Listener) conclude(ctx context.Context, s *segment, before *guess) (result speech.Result, err error) {
	samples, result := before.samples, before.result
	switch {
	case s.early && before.considered:
		return result, nil
	case before.spoken < 0 || s.spoken > len(before.samples) || before.spoken > s.spoken || before.considered:
		// Also what was not clear at the pause: there is more of its last sound now.
		samples = s.samples
		if result, err = l.config.Recogniser.Again(ctx, samples, l.config.Language, &before.result); err != nil {
			return result, err
		}
	}
	if r, ok := l.config.Recogniser.(Reconsiderer); ok {
		err = r.Reconsider(ctx, samples, l.config.Language, &result)
	}
	return result, err
}

// Judge says why a result is not to be believed.
func Judge(r *speech.Result) Problem {
	switch {
	case r.Repeats:
		return Repeats
	case strings.Trim(r.Text, " .,!?…-[]()♪*") == "":
		return Empty
	case r.NoSpeech >= noSpeechLimit && r.Confidence < believedAnyway:
		return NoSpeech
	}
	return ""
}

func (l *Listener) utterance(s *segment, problem Problem) Utterance {
	return Utterance{
		Microphone: s.microphone, At: s.at, Until: s.until(), Decided: s.decided, Ready: l.config.Clock.Now(),
		Problem: problem, Cut: s.cut, Clipped: s.clipped, Samples: s.samples,
	}
}

const (
	// The loudness of a segment and of what the robot said are compared in steps
	// of this, over the delays that a sound system may have.
	envelopeStep = audio.Rate / 50
	longestDelay = 2 * time.Second
	// From this correlation on a segment is an echo: two people who speak at once
	// reach 0.5, an echo in a room 0.9.
	echoCorrelation = 0.75
	// A shorter segment fits something by chance, and may be a "stop".
	shortestEcho = 45 // steps
)

// ownVoice says whether a segment follows what the robot said.
func (l *Listener) ownVoice(s *segment) bool {
	if l.config.Echo == nil {
		return false
	}
	n := s.spoken
	lead := int(longestDelay * audio.Rate / time.Second)
	played := make([]float32, lead+n)
	if !l.config.Echo.Played(played, s.at.Add(-longestDelay)) {
		return false
	}
	heard, said := envelope(s.samples[:min(n, len(s.samples))]), envelope(played)
	if len(heard) < shortestEcho {
		return false
	}
	for from := 0; from+len(heard) <= len(said); from++ {
		if correlation(heard, said[from:from+len(heard)]) > echoCorrelation {
			return true
		}
	}
	return false
}

// envelope gives the loudness in each step, in nats above a quiet room.
func envelope(samples []float32) []float64 {
	const room = 1e-3
	steps := make([]float64, len(samples)/envelopeStep)
	for i := range steps {
		steps[i] = math.Log(room + audio.Level(samples[i*envelopeStep:(i+1)*envelopeStep]))
	}
	return steps
}

// correlation is Pearson's; 0 where one of the two does not vary.
func correlation(a, b []float64) float64 {
	var ma, mb float64
	for i := range a {
		ma, mb = ma+a[i]/float64(len(a)), mb+b[i]/float64(len(a))
	}
	var ab, aa, bb float64
	for i := range a {
		x, y := a[i]-ma, b[i]-mb
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	const still = 0.05 // of variance a step
	if least := still * float64(len(a)); aa < least || bb < least {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

// ErrNoModel says that there is nothing to recognise with.
var ErrNoModel = errors.New("no speech model is installed (kuai models pull whisper-base)")
