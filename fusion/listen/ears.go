package listen

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/perception/vad"
)

// longestDraft is the longest text, in tokens, that a longer piece of a segment
// is checked against: a long command has 30.
const longestDraft = 40

// Ears are the models of all listeners of a program: the voice detector, which
// is part of it, and a recogniser that is loaded when somebody first speaks. They
// may be used from many goroutines; one segment is recognised at a time.
type Ears struct {
	model   string
	backend kernels.Backend
	options Options
	voice   *vad.Model

	mu      sync.Mutex
	speech  *speech.Recogniser
	session *speech.Session
	phrases []string
	favour  float64
	known   func(text string) bool
	texts   []string
	choices *speech.Choices // of texts, for the session; nil: to be made
	clip    *float32        // the first sample of what the session heard last
	open    []*vad.Session
	seconds []*speech.Session
}

// Options of ears; the zero value is good.
type Options struct {
	// Compile goes to the kernels of the recogniser.
	Compile kernels.Options
	// Sound is speech.Options.Sound: the backend computes spectrograms too.
	Sound bool
	// Voice computes the voice detector; nil: the recogniser's backend does.
	Voice kernels.Backend
}

// Open makes ears that hear with the speech model in the folder model, computed by
// backend.
func Open(model string, backend kernels.Backend, o Options) (*Ears, error) {
	if o.Voice == nil {
		o.Voice = backend
	}
	v, err := vad.BuiltIn(o.Voice)
	if err != nil {
		return nil, err
	}
	return &Ears{model: model, backend: backend, options: o, voice: v}, nil
}

// Voice gives a voice detector for one more microphone.
func (e *Ears) Voice() (Voice, error) {
	s, err := e.voice.NewSession()
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.open = append(e.open, s)
	return s, nil
}

// Expect says what people are likely to say, and by how many nats that is more
// probable; no phrases: anything.
func (e *Ears) Expect(phrases []string, nats float64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.phrases, e.favour = phrases, nats
	if e.session != nil {
		e.expect()
	}
}

// Choose gives whole texts that people are likely to say. Where the recogniser
// heard nothing that known calls one of them, the one that fits best what it heard
// stands in its place, if it fits nearly as well. known may be called from any
// goroutine; nil: nothing is replaced.
func (e *Ears) Choose(texts []string, known func(text string) bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.texts, e.known, e.choices = texts, known, nil
}

// expect is called with mu held.
func (e *Ears) expect() {
	if len(e.phrases) == 0 || e.favour == 0 {
		e.session.Expect(nil)
		return
	}
	v := e.session.Vocabulary(e.phrases)
	v.Strength = e.favour
	e.session.Expect(v)
}

// Load readies the recogniser; otherwise the first segment does.
func (e *Ears) Load(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.load(ctx)
}

// load is called with mu held. It hears a short silence, so that the first
// command costs no more than the others.
func (e *Ears) load(ctx context.Context) error {
	if e.session != nil {
		return nil
	}
	if e.model == "" {
		return ErrNoModel
	}
	r, err := speech.Open(e.model, e.backend, speech.Options{Compile: e.options.Compile, Sound: e.options.Sound, Draft: longestDraft})
	if err != nil {
		return err
	}
	s, err := r.NewSession()
	if err != nil {
		return errors.Join(err, r.Close())
	}
	e.speech, e.session = r, s
	e.expect()
	_, err = s.Transcribe(ctx, make([]float32, 3*vad.Chunk), "en")
	return err
}

// Again implements Recogniser.
func (e *Ears) Again(ctx context.Context, samples []float32, language string, before *speech.Result) (speech.Result, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.load(ctx); err != nil {
		return speech.Result{}, err
	}
	if ctx.Err() != nil {
		return speech.Result{}, ctx.Err()
	}
	r, err := e.session.Again(ctx, samples, language, before)
	if err != nil {
		return r, fmt.Errorf("recogniser: %w", err)
	}
	e.clip = &samples[0]
	return r, nil
}

const (
	// A text of the choices may be so much less probable, in nats, than what the
	// recogniser would rather have written. Commands that it garbled are up to 16
	// behind, sentences that are no commands 18 and more.
	mostBehind = 14
	// It must be so much more probable than the next best.
	leastAhead = 0.5
)

// Reconsider implements Reconsiderer: it puts one of the choices in the place of a
// text that is none of them.
func (e *Ears) Reconsider(ctx context.Context, samples []float32, language string, r *speech.Result) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.session == nil || e.known == nil || len(e.texts) == 0 || e.known(r.Text) && !r.Repeats {
		return nil
	}
	if e.clip != &samples[0] { // another microphone was heard since
		if _, err := e.session.Again(ctx, samples, language, r); err != nil {
			return fmt.Errorf("recogniser: %w", err)
		}
		e.clip = &samples[0]
	}
	if e.choices == nil {
		e.choices = e.session.Choices(e.texts)
	}
	best, ok, err := e.session.Choose(ctx, language, e.choices)
	if err != nil || !ok {
		return err
	}
	free := 0.0
	for _, t := range r.Tokens {
		free += t.LogP
	}
	behind := max(0, free-best.LogP)
	if behind > mostBehind || best.Margin < leastAhead {
		return nil
	}
	// Sure to be the one among the others, and the less the further behind.
	sure := 1 / (1 + math.Exp(-best.Margin)) * (1 - behind/(2*mostBehind))
	r.Text, r.Confidence, r.Repeats = best.Text, sure, false
	return nil
}

// Close frees the models; no listener may be running.
func (e *Ears) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var errs []error
	for _, s := range e.open {
		errs = append(errs, s.Close())
	}
	for _, s := range e.seconds {
		errs = append(errs, s.Close())
	}
	e.seconds = nil
	if e.session != nil {
		errs = append(errs, e.session.Close(), e.speech.Close())
		e.session, e.choices = nil, nil
	}
	return errors.Join(append(errs, e.voice.Close())...)
}
