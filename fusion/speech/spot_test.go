package speech_test

import (
	"math"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/perception/audio"
)

// What was said is found among phrases, with the probability that the text has there
// when it is written freely, whether it is one token or several.
func TestSpot(t *testing.T) {
	s := newSession(t, whisper(t), cpu.New(cpu.Options{}), speech.Options{Draft: 40})
	samples := recording(t, "goforward.raw")
	free, err := s.Transcribe(t.Context(), samples, "en")
	if err != nil {
		t.Fatal(err)
	}
	for _, said := range []string{" forward", " forward 10 meters", "Go forward"} {
		said = strings.Replace(said, "Go", " Go", 1)
		got, err := s.Spot(t.Context(), samples, "en", s.Phrases([]string{" stop", " Stop", " halt", said, " backward 10 meters"}))
		if err != nil {
			t.Fatal(err)
		}
		if got.Phrase != said || got.LogP < -1 || got.LogP > 0 {
			t.Errorf("%q: found %q with %.2f", said, got.Phrase, got.LogP)
		}
		if got.Text != free.Text || math.Abs(got.Confidence-free.Confidence) > 1e-4 || math.Abs(got.NoSpeech-free.NoSpeech) > 1e-4 {
			t.Errorf("wrote %q (%.3f), freely %q (%.3f)", got.Text, got.Confidence, free.Text, free.Confidence)
		}
	}
	got, err := s.Spot(t.Context(), samples, "", s.Phrases([]string{" stop", " Stop", " freeze", " hold it"}))
	if err != nil || got.LogP > -4 || got.Language != "en" {
		t.Errorf("a stop that nobody said: %+v, %v", got, err)
	}
	again, err := s.Transcribe(t.Context(), samples, "en")
	if err != nil || again.Text != free.Text {
		t.Errorf("afterwards %q, %v", again.Text, err)
	}
}

func TestSpotErrors(t *testing.T) {
	s := newSession(t, whisper(t), cpu.New(cpu.Options{}), speech.Options{})
	stop := s.Phrases([]string{" stop"})
	for want, err := range map[string]error{
		"empty":     func() error { _, err := s.Spot(t.Context(), nil, "en", stop); return err }(),
		"0 phrases": func() error { _, err := s.Spot(t.Context(), make([]float32, 100), "en", s.Phrases(nil)); return err }(),
		"at most":   func() error { _, err := s.Spot(t.Context(), make([]float32, 31*audio.Rate), "en", stop); return err }(),
		`"xx"`:      func() error { _, err := s.Spot(t.Context(), make([]float32, 100), "xx", stop); return err }(),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
