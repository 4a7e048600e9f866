package hear

import (
	"context"
	_ "embed" // for the weights
	"fmt"
	"slices"

	"github.com/kuai-robot/kuai/fusion/embed"
	"github.com/kuai-robot/kuai/kernels"
)

//go:embed weights/config.json
var config []byte

//go:embed weights/model.safetensors
var weights []byte

// sounds are the sound events that the head was trained on and how the text
// encoder reads them.
var sounds = []struct{ name, text string }{
	{"clap", "somebody claps their hands"},
	{"knock", "somebody knocks at the door"},
	{"glass", "glass breaks"},
	{"beep", "a machine beeps"},
	{"alarm", "an alarm or a siren"},
	{"ring", "a bell or a telephone rings"},
	{"motor", "a motor runs"},
	{"music", "music plays"},
	{"noise", "noise like wind or running water"},
	{"silence", "silence"},
}

// other is what speech is that is no option.
const other = "somebody talks about something else"

// Sounds gives the names of the sounds that a Listener tells apart.
func Sounds() []string {
	var names []string
	for _, s := range sounds {
		names = append(names, s.name)
	}
	return names
}

// Open loads the built-in head and its encoders, whisper-base and
// all-minilm-l6-v2, for backend.
func Open(folders embed.SoundFolders, backend kernels.Backend, o embed.Options) (*embed.Sound, error) {
	s, err := embed.ParseSound("built-in sound head", config, weights, folders, backend, o)
	if err != nil {
		return nil, fmt.Errorf("hear: %w", err)
	}
	return s, nil
}

// Heard is what a clip most probably is. All options, sounds and Other share one
// probability of 1.
type Heard struct {
	// Option is the index of the best option, −1 if there are none.
	Option      int
	Probability float64
	// Sound is the best of Sounds.
	Sound            string
	SoundProbability float64
	// Speech is the probability of all options together, Other that of speech that
	// is none of them.
	Speech, Other float64
}

// Listener tells options and sounds apart.
type Listener struct {
	session *embed.SoundSession
	options int
}

// New reads the phrases of the options, once for all clips.
func New(ctx context.Context, sound *embed.Sound, options []string) (*Listener, error) {
	texts := slices.Clone(options)
	for _, s := range sounds {
		texts = append(texts, s.text)
	}
	session, err := sound.NewSession(ctx, append(texts, other))
	if err != nil {
		return nil, fmt.Errorf("hear: %w", err)
	}
	return &Listener{session: session, options: len(options)}, nil
}

// Close frees the memory of the listener, not the sound it was made of.
func (l *Listener) Close() error { return l.session.Close() }

// Hear says what a clip is, mono at audio.Rate.
func (l *Listener) Hear(ctx context.Context, samples []float32) (Heard, error) {
	matches, err := l.session.Match(ctx, samples)
	if err != nil {
		return Heard{}, fmt.Errorf("hear: %w", err)
	}
	h := Heard{Option: -1}
	for i, m := range matches[:l.options] {
		h.Speech += m.Probability
		if m.Probability > h.Probability {
			h.Option, h.Probability = i, m.Probability
		}
	}
	h.Other = matches[len(matches)-1].Probability
	for i, m := range matches[l.options : len(matches)-1] {
		if m.Probability > h.SoundProbability {
			h.Sound, h.SoundProbability = sounds[i].name, m.Probability
		}
	}
	return h, nil
}
