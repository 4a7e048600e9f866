package listen_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/fusion/listen"
	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/perception/audio"
)

// teller recognises by how long the sound is.
type teller struct{ short, long, rest string }

func (w *teller) Again(_ context.Context, samples []float32, _ string, _ *speech.Result) (speech.Result, error) {
	text := w.short
	switch loud := loudSeconds(samples); {
	case loud > 1.3:
		text = w.long
	case loud < 0.8:
		text = w.rest
	}
	return speech.Result{Text: text, Confidence: 0.9}, nil
}

// loudSeconds is how much of samples is loud.
func loudSeconds(samples []float32) float64 {
	n := 0
	for ; len(samples) >= 160; samples = samples[160:] {
		if audio.Level(samples[:160]) > 0.05 {
			n++
		}
	}
	return float64(n) / 100
}

// A whole command is told early, and what follows it soon is neither lost nor
// taken for a command of its own where it goes on with the sentence.
func TestWhatFollowsAWholeCommand(t *testing.T) {
	const whole, both = "Put it in the bowl.", "Put it in the bowl and then stand up."
	for name, c := range map[string]struct {
		rest string
		more time.Duration // of speech, 250 ms later
		want []string
	}{
		"nothing":             {"", 0, []string{whole}},
		"it goes on":          {"And then stand up.", 500 * time.Millisecond, []string{whole, "+" + both}},
		"another command":     {"Pick it up.", 500 * time.Millisecond, []string{whole, "Pick it up."}},
		"a breath":            {" ♪ ", 500 * time.Millisecond, []string{whole}},
		"a click of the room": {"Pick it up.", 30 * time.Millisecond, []string{whole}},
	} {
		t.Run(name, func(t *testing.T) {
			heard, talking := make(chan listen.Utterance, 8), make(chan string, 100)
			b := newBench(t, func(c2 *listen.Config) {
				c2.Patient, c2.Early = false, 100*time.Millisecond
				c2.Recogniser = &teller{whole, both, c.rest}
				c2.Complete = func(text string) bool { return text == whole || text == both }
				c2.Joins = func(first, rest string) bool { return first == whole && strings.HasPrefix(rest, "And") }
				c2.Heard = func(u listen.Utterance) { heard <- u }
				c2.Talking = func(u listen.Utterance) { talking <- u.Text }
			})
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- b.Run(ctx) }()
			b.hear(t, join(quiet(time.Second), beep(300, time.Second, 0.3), quiet(100*time.Millisecond)))
			for text := range talking { // it was heard in the pause
				if text == whole {
					break
				}
			}
			b.hear(t, quiet(100*time.Millisecond))
			first := <-heard
			if late := first.Decided.Sub(first.Until); late > 200*time.Millisecond {
				t.Errorf("told %v after the last word", late)
			}
			b.hear(t, join(quiet(100*time.Millisecond), beep(300, c.more, 0.3), quiet(time.Second)))
			if err := b.Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
			stop()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			close(heard)
			got := []string{first.Text}
			for u := range heard {
				if u.Continues {
					u.Text = "+" + u.Text
				}
				got = append(got, u.Text)
			}
			if strings.Join(got, "|") != strings.Join(c.want, "|") {
				t.Errorf("heard %q, want %q", got, c.want)
			}
		})
	}
}

// chooser recognises nothing that is whole, and chooses a text for want of a better
// one, of which it is as sure as it says.
type chooser struct {
	teller
	chosen    string
	sure      float64
	heardLast int // samples of the newest clip
}

func (c *chooser) Again(ctx context.Context, samples []float32, language string, before *speech.Result) (speech.Result, error) {
	c.heardLast = len(samples)
	return c.teller.Again(ctx, samples, language, before)
}

func (c *chooser) Reconsider(_ context.Context, _ []float32, _ string, r *speech.Result) error {
	r.Text, r.Confidence = c.chosen, c.sure
	return nil
}

// A text that was chosen for want of a better one is told early too, later where the
// recogniser is less sure; one that is not whole is heard once more at the end, with
// what followed the pause.
func TestAChosenTextIsToldEarly(t *testing.T) {
	const whole = "Put it in the bowl."
	for name, c := range map[string]struct {
		chosen      string
		sure        float64
		least, most time.Duration
	}{
		"sure":      {whole, 0.9, 90 * time.Millisecond, 160 * time.Millisecond},
		"less sure": {whole, 0.55, 190 * time.Millisecond, 260 * time.Millisecond},
		"unsure":    {whole, 0.4, 300 * time.Millisecond, time.Second},
		"no text":   {"Put it", 0.9, 300 * time.Millisecond, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			var told []listen.Utterance
			recogniser := &chooser{teller: teller{"Boat.", "Boat.", "Boat."}, chosen: c.chosen, sure: c.sure}
			b := newBench(t, func(c2 *listen.Config) {
				c2.Patient, c2.Early = false, 100*time.Millisecond
				c2.Recogniser = recogniser
				c2.Complete = func(text string) bool { return text == whole }
				c2.Heard = func(u listen.Utterance) { told = append(told, u) }
			})
			sound := join(quiet(time.Second), beep(300, time.Second, 0.3), quiet(time.Second))
			for ; len(sound) >= audio.Frame; sound = sound[audio.Frame:] {
				b.hear(t, sound[:audio.Frame])
				if err := b.Work(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if len(told) != 1 || told[0].Text != c.chosen {
				t.Fatalf("told %+v", told)
			}
			if late := told[0].Decided.Sub(told[0].Until); late < c.least || late > c.most {
				t.Errorf("told %v after the last word, want %v to %v", late, c.least, c.most)
			}
			if c.least > 200*time.Millisecond && recogniser.heardLast < len(told[0].Samples) {
				t.Errorf("%d samples were heard at the end, of %d", recogniser.heardLast, len(told[0].Samples))
			}
		})
	}
}
