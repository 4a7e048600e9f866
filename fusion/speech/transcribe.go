package speech

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/perception/audio"
)

// Token is a piece of a text with the logarithm of its probability.
type Token struct {
	ID   int32
	LogP float64
}

// Result is what was heard.
type Result struct {
	Text string
	// Language is the code of the language that was told, or heard.
	Language string
	// Tokens of the text, the end included where the text has one.
	Tokens []Token
	// Confidence is the geometric mean of the tokens' probabilities.
	Confidence float64
	// NoSpeech is how probable the model finds it that nobody speaks.
	NoSpeech float64
	// Repeats says that the text was ended because it went round in circles.
	Repeats bool
}

// Transcribe hears samples, mono at audio.Rate. language is a code such as
// "en" or "zh"; empty: the model listens for it.
func (s *Session) Transcribe(ctx context.Context, samples []float32, language string) (Result, error) {
	if err := check(samples); err != nil {
		return Result{}, err
	}
	told, err := s.recogniser.words.language(language)
	if err != nil {
		return Result{}, err
	}
	var all Result
	for i, part := range s.cut(samples) {
		r, err := s.transcribe(ctx, part, told, nil)
		if err != nil {
			return Result{}, err
		}
		if i == 0 {
			all = r
			continue
		}
		all.Join(&r)
	}
	return all, nil
}

// Again hears a clip that begins as one did of which before was heard: as much of
// that text as still holds costs one pass of the decoder. The result is that of
// Transcribe. It needs Options.Draft and the language.
func (s *Session) Again(ctx context.Context, samples []float32, language string, before *Result) (Result, error) {
	told, err := s.recogniser.words.language(language)
	if err != nil {
		return Result{}, err
	}
	if told == 0 && language == "" || len(samples) > 2*s.recogniser.config.Positions*audio.Hop {
		return s.Transcribe(ctx, samples, language)
	}
	if err := check(samples); err != nil {
		return Result{}, err
	}
	var draft []int32
	for _, t := range before.Tokens {
		if t.ID != s.recogniser.words.end && len(draft) < min(s.recogniser.options.Draft, s.most(len(samples))-1) {
			draft = append(draft, t.ID)
		}
	}
	return s.transcribe(ctx, samples, told, draft)
}

// Join appends what followed.
func (r *Result) Join(next *Result) {
	r.Text = strings.TrimSpace(r.Text + " " + next.Text)
	r.Tokens = append(r.Tokens, next.Tokens...)
	r.NoSpeech = min(r.NoSpeech, next.NoSpeech)
	r.Repeats = r.Repeats || next.Repeats
	r.Confidence = confidence(r.Tokens)
}

func confidence(tokens []Token) float64 {
	if len(tokens) == 0 {
		return 0
	}
	sum := 0.0
	for _, t := range tokens {
		sum += t.LogP
	}
	return math.Exp(sum / float64(len(tokens)))
}

func check(samples []float32) error {
	if len(samples) == 0 {
		return fmt.Errorf("speech: %w", audio.ErrEmpty)
	}
	for i, x := range samples {
		if x != x || math.IsInf(float64(x), 0) {
			return fmt.Errorf("speech: sample %d is NaN or infinite", i)
		}
	}
	return nil
}

// transcribe hears a clip that fits the model, a second time if the backend lost what
// it had of it.
func (s *Session) transcribe(ctx context.Context, samples []float32, language int32, draft []int32) (Result, error) {
	r, err := s.transcribeOnce(ctx, samples, language, draft)
	if errors.Is(err, kernels.ErrStatesLost) {
		s.silentFrom = s.recogniser.config.Positions
		return s.transcribeOnce(ctx, samples, language, draft)
	}
	return r, err
}

func (s *Session) transcribeOnce(ctx context.Context, samples []float32, language int32, draft []int32) (Result, error) {
	heard, err := s.hear(ctx, samples)
	if err != nil {
		s.heard = 0
		return Result{}, err
	}
	s.heard = heard
	return s.find(ctx, heard, language, s.most(len(samples)), draft)
}

// most bounds the tokens of a clip: nobody says more than this in the time, and
// a model that does is making it up.
func (s *Session) most(samples int) int {
	const atOnce, perSecond = 16, 12
	return min(s.recogniser.options.Tokens, atOnce+samples*perSecond/audio.Rate)
}

// hear runs the tower and gives how many embeddings the decoder attends to.
func (s *Session) hear(ctx context.Context, samples []float32) (int, error) {
	p := s.recogniser.encode
	frames := min((len(samples)+audio.Hop-1)/audio.Hop+s.recogniser.options.Tail, 2*s.recogniser.config.Positions)
	s.encode.Set(p.Frames, frames)
	s.mel.Compute(s.encode.F32(p.Mel), samples, frames)
	return s.hearFrames(ctx)
}

// hearFrames runs the tower on the spectrogram that has been set.
func (s *Session) hearFrames(ctx context.Context) (int, error) {
	p := s.recogniser.encode
	places := s.encode.I32(p.Places)
	for i := range places {
		places[i] = int32(i)
	}
	heard := len(places)
	if err := s.runTower(ctx); err != nil {
		return 0, err
	}
	if s.recogniser.silence == nil {
		return heard, nil
	}
	s.fallSilent(heard)
	return s.recogniser.config.Positions, nil
}

// runTower computes the embeddings, and what the decoder attends to of them, again if
// the backend has just lost what it had.
func (s *Session) runTower(ctx context.Context) error {
	err := s.encode.Run(ctx)
	if errors.Is(err, kernels.ErrStatesLost) {
		s.silentFrom = s.recogniser.config.Positions
		err = s.encode.Run(ctx)
	}
	return err
}

// Hidden gives the embeddings of the last clip, [n, Width]; valid until the
// session is used again.
func (s *Session) Hidden() []float32 { return s.encode.F32(s.recogniser.encode.hidden) }

// Listen runs the tower on a clip that fits it, as it is, without the silence that
// Transcribe adds, and gives its embeddings, [n, Width], one each 20 ms; valid
// until the session is used again. It allocates nothing.
func (s *Session) Listen(ctx context.Context, samples []float32) ([]float32, error) {
	if err := check(samples); err != nil {
		return nil, err
	}
	frames, most := (len(samples)+audio.Hop-1)/audio.Hop, 2*s.recogniser.config.Positions
	if frames > most {
		return nil, fmt.Errorf("speech: %d samples, the model hears %d at once", len(samples), most*audio.Hop)
	}
	p := s.recogniser.encode
	s.heard = 0 // what a decoder would attend to is another clip's now
	s.encode.Set(p.Frames, frames)
	s.mel.Compute(s.encode.F32(p.Mel), samples, frames)
	places := s.encode.I32(p.Places)
	for i := range places {
		places[i] = int32(i)
	}
	if err := s.runTower(ctx); err != nil {
		return nil, err
	}
	return s.encode.F32(p.hidden), nil
}

// cut takes a clip apart where the model could not hear it whole, in the
// quietest tenth of a second of the last third of what it can.
func (s *Session) cut(samples []float32) [][]float32 {
	const step = audio.Rate / 10
	whole := 2 * s.recogniser.config.Positions * audio.Hop
	most := max(whole-s.recogniser.options.Tail*audio.Hop, whole/2)
	var parts [][]float32
	for len(samples) > whole {
		at, least := most, math.Inf(1)
		for from := most * 2 / 3; from+step <= most; from += step {
			sum := 0.0
			for _, x := range samples[from : from+step] {
				sum += float64(x) * float64(x)
			}
			if sum < least {
				at, least = from+step/2, sum
			}
		}
		parts, samples = append(parts, samples[:at]), samples[at:]
	}
	return append(parts, samples)
}
