package daemon

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/fusion/listen"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/loudspeaker"
	"github.com/kuai-robot/kuai/policy/dialogue"
	"github.com/kuai-robot/kuai/robot"
)

// hardLab hears what no test of a command would say.
func hardLab(t *testing.T) *voiceLab {
	t.Helper()
	if _, err := findSpeech(config.Default().Voice.Model); err != nil {
		t.Skip(err)
	}
	c := config.Default()
	l, err := newVoiceLab(&c, unheard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// begins gives the skills that the robot would begin after each utterance of a
// clip, and all that was heard.
func (l *voiceLab) begins(t *testing.T, clip []float32) (skills []string, all []listen.Utterance) {
	t.Helper()
	voice, err := l.ears.Voice()
	if err != nil {
		t.Fatal(err)
	}
	clock := robot.NewManualClock(time.Unix(0, 0), robot.Time(10*time.Second))
	listener, err := listen.New(listen.Config{
		Voice: voice, Recogniser: l.ears, Clock: clock, Language: "en", Patient: true, Timing: timingOf(&l.config.Voice),
		Heard: func(u listen.Utterance) { all = append(all, u) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for ; len(clip) >= audio.Frame; clip = clip[audio.Frame:] {
		if err := listener.Hear(t.Context(), robot.Clip{Microphone: "room", At: clock.Now(), Rate: audio.Rate, Samples: clip[:audio.Frame]}); err != nil {
			t.Fatal(err)
		}
		clock.Advance(20 * time.Millisecond)
	}
	if err := listener.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	talk, err := dialogue.New(dialogue.Config{Catalogue: l.mind.catalogue, Sure: l.config.Voice.Sure, Unsure: l.config.Voice.Unsure})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range all {
		r := talk.Hear(dialogue.Heard{At: u.At, Text: u.Text, Confidence: u.Confidence, Problem: string(u.Problem)}, l.world.Scene())
		t.Logf("heard %q (%.2f) %s: %s %q", u.Text, u.Confidence, u.Problem, r.Kind, r.Instruction)
		if r.Kind != dialogue.Command {
			continue
		}
		s, err := l.decide(t.Context(), r.Instruction)
		if err != nil {
			t.Fatal(err)
		}
		skills = append(skills, s)
	}
	return skills, all
}

func sayIn(t *testing.T, voice, text string) []float32 {
	t.Helper()
	samples, err := (loudspeaker.Espeak{Voice: voice, Speed: 150}).Speak(t.Context(), text)
	if err != nil {
		t.Skip(err)
	}
	return samples
}

// music plays chords with overtones that fade, a tune above them, and drums.
func music(seed uint64, lasts time.Duration, tune, drums float64) []float32 {
	random := rand.New(rand.NewPCG(seed, 7))
	s := make([]float32, int(lasts*audio.Rate/time.Second))
	note := func(from int, hz, gain, fade float64) {
		for i := from; i < len(s) && i < from+audio.Rate; i++ {
			x := float64(i-from) / audio.Rate
			for overtone := 1.0; overtone <= 6; overtone++ {
				s[i] += float32(gain / overtone * math.Exp(-fade*x) * math.Sin(2*math.Pi*hz*overtone*x))
			}
		}
	}
	beat := audio.Rate / 2
	for k := 0; k*beat < len(s); k++ {
		root := 110 * math.Pow(2, float64([]int{0, 5, 7, 3}[k/4%4])/12)
		for _, step := range []float64{0, 4, 7} {
			note(k*beat, root*math.Pow(2, step/12), 0.08, 2)
		}
		note(k*beat+beat/2, 440*math.Pow(2, float64(random.IntN(12))/12), tune, 5)
		for i := k * beat; i < len(s) && i < k*beat+beat/3; i++ { // a snare
			s[i] += float32(drums * math.Exp(-float64(i-k*beat)/800) * (2*random.Float64() - 1))
		}
	}
	return s
}

// Music moves nothing.
func TestMusicCommandsNothing(t *testing.T) {
	l := hardLab(t)
	for name, clip := range map[string][]float32{
		"chords": music(1, 6*time.Second, 0, 0), "a tune": music(2, 6*time.Second, 0.2, 0), "a band": music(3, 6*time.Second, 0.1, 0.4),
	} {
		if skills, _ := l.begins(t, inRoom(9, -50, 1, clip)); len(skills) > 0 {
			t.Errorf("%s begins %v", name, skills)
		}
	}
}

// Of two people who speak at once, one is obeyed or nobody.
func TestTwoPeopleAtOnce(t *testing.T) {
	l := hardLab(t)
	for i, c := range []struct {
		one, other string
		want       []string
	}{
		{"pick up the red block", "pick up the green block", []string{"pick(red block)", "pick(green block)"}},
		{"put the blue block in the red bowl", "push the red block to the left", []string{"pick(blue block)", "push(red block, left)"}},
		{"move the arm home", "pick up the yellow block", []string{"home()", "home", "pick(yellow block)"}},
	} {
		for _, gain := range []float32{1, 0.4} { // as loud, and in the background
			a, b := sayIn(t, "en-us", c.one), sayIn(t, "en-gb-x-rp", c.other)
			mixed := make([]float32, max(len(a), len(b)+2000))
			copy(mixed, a)
			for k, x := range b {
				mixed[k+2000] += gain * x
			}
			skills, _ := l.begins(t, inRoom(uint64(i), -55, 1, mixed))
			for _, s := range skills {
				if !slices.Contains(c.want, s) {
					t.Errorf("%q beside %q at %g begins %s", c.one, c.other, gain, s)
				}
			}
		}
	}
}

// Speech that the recogniser may go round in circles over ends, within its time,
// and begins nothing that nobody asked for.
func TestSpeechThatGoesRoundInCircles(t *testing.T) {
	l := hardLab(t)
	for _, text := range []string{
		strings.Repeat("la ", 40), strings.Repeat("thank you ", 15), strings.Repeat("the block the block ", 10),
		strings.Repeat("put the ", 20), strings.Repeat("and then and then ", 10), strings.Repeat("ha ", 50),
	} {
		skills, all := l.begins(t, inRoom(5, -55, 1, sayIn(t, "en-us", text)))
		if len(skills) > 0 {
			t.Errorf("%q begins %v", text, skills)
		}
		for _, u := range all {
			if len(u.Text) > 800 {
				t.Errorf("%q became %d letters", text, len(u.Text))
			}
		}
	}
}
