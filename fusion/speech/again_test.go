package speech_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
)

// A draft never changes what is heard, whether it is right, wrong from some
// token on, or of another clip.
func TestAgainHearsTheSame(t *testing.T) {
	o := speech.Options{Tail: 1, Plain: true, Draft: 12, Compile: kernels.Options{Precision: kernels.Float32}}
	s := newSession(t, filepath.Join(fixtures, "whisper"), cpu.New(cpu.Options{}), o)
	var last speech.Result
	for _, c := range readFixture(t) {
		samples := sound(c.Seconds, c.Seed)
		want, err := s.Transcribe(t.Context(), samples, "en")
		if err != nil {
			t.Fatal(err)
		}
		wrong := want
		wrong.Tokens = slices.Clone(want.Tokens)
		wrong.Tokens[min(2, len(wrong.Tokens)-1)].ID++
		short := want
		short.Tokens = want.Tokens[:1]
		for name, before := range map[string]speech.Result{"right": want, "wrong": wrong, "short": short, "of another clip": last, "empty": {}} {
			got, err := s.Again(t.Context(), samples, "en", &before)
			if err != nil {
				t.Fatal(err)
			}
			if got.Text != want.Text || !slices.EqualFunc(got.Tokens, want.Tokens, sameToken) || got.Language != want.Language {
				t.Errorf("%g s, a draft that is %s: %+v, want %+v", c.Seconds, name, got, want)
			}
		}
		last = want
	}
}

func sameToken(a, b speech.Token) bool {
	d := a.LogP - b.LogP
	return a.ID == b.ID && d < 1e-3 && d > -1e-3
}

func TestDraftOptions(t *testing.T) {
	for _, o := range []speech.Options{{Draft: -1}, {Draft: 10000}, {Draft: 4, Beam: 2}} {
		if r, err := speech.Open(filepath.Join(fixtures, "whisper"), cpu.New(cpu.Options{}), o); err == nil {
			t.Errorf("%+v was taken", o)
			r.Close()
		}
	}
}

// What somebody is likely to say wins where the model is in doubt and nowhere
// else, and the confidence is the model's own.
func TestVocabularyIsASoftPrior(t *testing.T) {
	s := newSession(t, whisper(t), cpu.New(cpu.Options{}), speech.Options{})
	samples := recording(t, "goforward.raw")
	plain, err := s.Transcribe(t.Context(), samples, "en")
	if err != nil {
		t.Fatal(err)
	}
	for _, phrases := range [][]string{
		{"pick up the red block", "place the red block in the blue bowl"}, // nothing of it is said
		{"go forward ten meters"},
	} {
		s.Expect(s.Vocabulary(phrases))
		got, err := s.Transcribe(t.Context(), samples, "en")
		if err != nil {
			t.Fatal(err)
		}
		if e := speech.Compare(plain.Text, got.Text); e.Total() > 0 {
			t.Errorf("with %q it heard %q, without %q", phrases, got.Text, plain.Text)
		}
		if d := got.Confidence - plain.Confidence; d > 0.02 || d < -0.2 {
			t.Errorf("with %q the confidence is %.2f, without %.2f", phrases, got.Confidence, plain.Confidence)
		}
	}
}
