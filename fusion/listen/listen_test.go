package listen_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/fusion/listen"
	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/vad"
	"github.com/kuai-robot/kuai/robot"
)

// loudVoice takes what is loud for speech.
type loudVoice struct{}

func (loudVoice) Hear(_ context.Context, samples []float32) (float32, error) {
	if audio.Level(samples) > 0.05 {
		return 0.9, nil
	}
	return 0.05, nil
}
func (loudVoice) Reset() {}

// writer recognises what it is told to and keeps what it heard.
type writer struct {
	mu     sync.Mutex
	result speech.Result
	err    error
	heard  [][]float32
	gate   chan struct{} // nil, or received from before each answer
}

func (w *writer) Again(ctx context.Context, samples []float32, _ string, _ *speech.Result) (speech.Result, error) {
	if w.gate != nil {
		select {
		case <-w.gate:
		case <-ctx.Done():
			return speech.Result{}, ctx.Err()
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = append(w.heard, samples)
	return w.result, w.err
}

// whistle hears a tone of 1 kHz, as a detector hears a word.
type whistle struct{ run int }

func (d *whistle) Process(_ context.Context, samples []float32) ([]listen.Hit, error) {
	if tone(samples, 1000) < 0.05 {
		d.run = 0
		return nil, nil
	}
	if d.run++; d.run != 5 {
		return nil, nil
	}
	return []listen.Hit{{Group: "stop", Word: "stop", Score: 0.9, Late: 20 * time.Millisecond}}, nil
}
func (d *whistle) Reset() { d.run = 0 }

// tone gives the amplitude at hz (Goertzel).
func tone(samples []float32, hz float64) float64 {
	var re, im float64
	for i, x := range samples {
		s, c := math.Sincos(2 * math.Pi * hz * float64(i) / audio.Rate)
		re, im = re+float64(x)*c, im+float64(x)*s
	}
	return 2 * math.Hypot(re, im) / float64(len(samples))
}

func beep(hz float64, lasts time.Duration, loud float64) []float32 {
	s := make([]float32, int(lasts*audio.Rate/time.Second))
	for i := range s {
		// The loudness of a syllable comes and goes.
		s[i] = float32(loud * (0.6 + 0.4*math.Sin(2*math.Pi*4*float64(i)/audio.Rate)) * math.Sin(2*math.Pi*hz*float64(i)/audio.Rate))
	}
	return s
}

func quiet(lasts time.Duration) []float32 { return make([]float32, int(lasts*audio.Rate/time.Second)) }

func join(parts ...[]float32) (all []float32) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

const start = robot.Time(10 * time.Second)

// bench is a listener with a clock that moves with the sound.
type bench struct {
	*listen.Listener
	clock  *robot.ManualClock
	writer *writer
	heard  []listen.Utterance
	words  []robot.Time
	at     robot.Time
}

func newBench(t *testing.T, change func(*listen.Config)) *bench {
	t.Helper()
	b := &bench{clock: robot.NewManualClock(time.Unix(0, 0), start), writer: &writer{}, at: start}
	b.writer.result = speech.Result{Text: "Pick up the red block.", Confidence: 0.9}
	c := listen.Config{
		Voice: loudVoice{}, Recogniser: b.writer, Clock: b.clock, Language: "en", Patient: true,
		Detector: &whistle{}, Word: func(_ listen.Hit, at robot.Time) { b.words = append(b.words, at) },
		Heard: func(u listen.Utterance) { b.heard = append(b.heard, u) },
	}
	if change != nil {
		change(&c)
	}
	var err error
	if b.Listener, err = listen.New(c); err != nil {
		t.Fatal(err)
	}
	return b
}

// hear gives the listener sound, frame by frame.
func (b *bench) hear(t *testing.T, samples []float32) {
	t.Helper()
	for ; len(samples) >= audio.Frame; samples = samples[audio.Frame:] {
		b.clock.Advance(20 * time.Millisecond)
		if err := b.Hear(t.Context(), robot.Clip{Microphone: "m", At: b.at, Rate: audio.Rate, Samples: samples[:audio.Frame]}); err != nil {
			t.Fatal(err)
		}
		b.at = b.at.Add(20 * time.Millisecond)
	}
}

func (b *bench) only(t *testing.T) listen.Utterance {
	t.Helper()
	if len(b.heard) != 1 {
		t.Fatalf("%d utterances", len(b.heard))
	}
	return b.heard[0]
}

func TestASentenceIsHeardWithItsTimes(t *testing.T) {
	b := newBench(t, nil)
	b.hear(t, join(quiet(time.Second), beep(300, time.Second, 0.3), quiet(time.Second)))
	u := b.only(t)
	if u.Text != "Pick up the red block." || u.Problem != "" || u.Microphone != "m" || u.Cut || u.Clipped > 0 {
		t.Errorf("%q, %q, from %s", u.Text, u.Problem, u.Microphone)
	}
	if d := u.Until.Sub(start.Add(2 * time.Second)).Abs(); d > 50*time.Millisecond {
		t.Errorf("the last word ended %v off", d)
	}
	if d := u.Decided.Sub(u.Until); d < 400*time.Millisecond || d > 650*time.Millisecond {
		t.Errorf("decided %v after the last word", d)
	}
	if n := len(b.writer.heard[0]); n < 16000 || n > 16000+8000 {
		t.Errorf("the recogniser heard %d samples", n)
	}
}

func TestWhatIsNotBelieved(t *testing.T) {
	for want, r := range map[listen.Problem]speech.Result{
		listen.Repeats:  {Text: "la la la la", Confidence: 0.9, Repeats: true},
		listen.Empty:    {Text: " ♪ ", Confidence: 0.9},
		listen.NoSpeech: {Text: "Thank you.", Confidence: 0.5, NoSpeech: 0.9},
		"":              {Text: "Pick it up.", Confidence: 0.9, NoSpeech: 0.9}, // clear speech is believed all the same
	} {
		b := newBench(t, nil)
		b.writer.result = r
		b.hear(t, join(quiet(time.Second), beep(300, time.Second, 0.3), quiet(time.Second)))
		if u := b.only(t); u.Problem != want {
			t.Errorf("%+v: %q, want %q", r, u.Problem, want)
		}
	}
	b := newBench(t, nil)
	b.writer.err = errors.New("out of memory")
	b.hear(t, join(quiet(time.Second), beep(300, time.Second, 0.3), quiet(time.Second)))
	if u := b.only(t); u.Problem != listen.Broken || !strings.Contains(u.Err.Error(), "out of memory") {
		t.Errorf("%q, %v", u.Problem, u.Err)
	}
}

func TestSilenceAndClicksAreNothing(t *testing.T) {
	b := newBench(t, nil)
	b.hear(t, join(quiet(2*time.Second), beep(300, 5*time.Millisecond, 0.9), quiet(2*time.Second)))
	if len(b.heard) != 0 || len(b.words) != 0 {
		t.Errorf("%d utterances, words at %v", len(b.heard), b.words)
	}
}

func TestEndlessSoundIsCut(t *testing.T) {
	b := newBench(t, func(c *listen.Config) { c.Timing = vad.Timing{Longest: 3 * time.Second} })
	b.hear(t, beep(300, 10*time.Second, 0.3))
	if len(b.heard) != 3 || !b.heard[0].Cut {
		t.Fatalf("%d utterances", len(b.heard))
	}
	for _, u := range b.heard {
		if len(u.Samples) > 3*audio.Rate+vad.Chunk {
			t.Errorf("a segment of %d samples", len(u.Samples))
		}
	}
}

func TestClippingIsTold(t *testing.T) {
	b := newBench(t, nil)
	loud := beep(300, time.Second, 5)
	for i := range loud {
		loud[i] = max(-1, min(1, loud[i]))
	}
	b.hear(t, join(quiet(time.Second), loud, quiet(time.Second)))
	if u := b.only(t); u.Clipped < 0.3 {
		t.Errorf("%.2f clipped, want most", u.Clipped)
	}
}

func TestAMicrophoneLostInMidWord(t *testing.T) {
	b := newBench(t, nil)
	b.hear(t, join(quiet(time.Second), beep(300, 500*time.Millisecond, 0.3)))
	if err := b.Lost(t.Context()); err != nil {
		t.Fatal(err)
	}
	if u := b.only(t); u.Problem != listen.Lost || len(b.writer.heard) != 0 {
		t.Errorf("%q; the recogniser heard %d pieces", u.Problem, len(b.writer.heard))
	}
	b.hear(t, quiet(2*time.Second))
	if err := b.Lost(t.Context()); err != nil || len(b.heard) != 1 {
		t.Errorf("lost in silence: %v, %d utterances", err, len(b.heard))
	}
}

func TestAButtonMakesASegment(t *testing.T) {
	b := newBench(t, func(c *listen.Config) { c.Push = true })
	b.hear(t, join(beep(300, time.Second, 0.3), quiet(time.Second)))
	if len(b.heard) != 0 {
		t.Fatalf("without the button: %d utterances", len(b.heard))
	}
	b.Press(b.at)
	pressed := b.at
	b.hear(t, join(beep(300, 300*time.Millisecond, 0.3), quiet(time.Second), beep(300, 300*time.Millisecond, 0.3)))
	if err := b.Release(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if u := b.only(t); u.At.Sub(pressed).Abs() > 40*time.Millisecond || len(u.Samples) < 25000 {
		t.Errorf("from %v, %d samples", u.At, len(u.Samples))
	}
	for problem, press := range map[listen.Problem]func(){
		listen.Lost: func() {
			b.Press(b.at)
			b.hear(t, beep(300, time.Second, 0.3))
			_ = b.Release(t.Context(), true)
		},
		listen.NoSpeech: func() {
			b.Press(b.at)
			b.hear(t, quiet(time.Second))
			_ = b.Release(t.Context(), false)
		},
	} {
		b.heard = nil
		press()
		if u := b.only(t); u.Problem != problem {
			t.Errorf("%q, want %q", u.Problem, problem)
		}
	}
}

// loud is a loudspeaker that plays samples from a time on.
type loud struct {
	at      robot.Time
	samples []float32
}

func (l *loud) Played(dst []float32, at robot.Time) (any bool) {
	clear(dst)
	from := int(at.Sub(l.at) * audio.Rate / time.Second)
	for k := range dst {
		if n := from + k; n >= 0 && n < len(l.samples) {
			dst[k], any = l.samples[n], true
		}
	}
	return any
}

// hiss is white noise, which a canceller learns fast.
func hiss(n int, gain float32) []float32 {
	s, seed := make([]float32, n), uint32(1)
	for i := range s {
		seed = seed*1664525 + 1013904223
		s[i] = gain * float32(int32(seed)) / (1 << 31)
	}
	return s
}

// While the robot speaks a person's stop word is heard and the robot's own, which
// its microphone hears louder, is not.
func TestBargeInAndTheRobotsOwnVoice(t *testing.T) {
	speech := hiss(6*audio.Rate, 0.3)
	own := beep(1000, 400*time.Millisecond, 0.3) // the robot says the word itself
	for i, x := range own {
		speech[3*audio.Rate+i] += x
	}
	l := &loud{at: start, samples: speech}
	b := newBench(t, func(c *listen.Config) { c.Echo = l })
	heard := make([]float32, len(speech))
	for i := range heard {
		for delay, gain := range map[int]float32{160: 0.6, 500: 0.2} {
			if i >= delay {
				heard[i] += gain * speech[i-delay]
			}
		}
	}
	person := start.Add(5 * time.Second)
	for i, x := range beep(1000, 400*time.Millisecond, 0.25) {
		heard[5*audio.Rate+i] += x
	}
	b.hear(t, heard)
	if len(b.words) == 0 || b.words[0] < person {
		t.Fatalf("stop words at %v, want the person's alone, after %v", b.words, person)
	}
	if late := b.words[0].Sub(person); late < 0 || late > 300*time.Millisecond {
		t.Errorf("the person's word is heard %v after its begin", late)
	}
	if len(b.heard) != 0 {
		t.Errorf("the robot's speech became %d utterances", len(b.heard))
	}
}

// An echo that comes after the gate is known by its loudness over time; a person
// who speaks then is not taken for it.
func TestALateEchoIsTheRobotsOwnVoice(t *testing.T) {
	words := join(beep(300, 250*time.Millisecond, 0.3), quiet(150*time.Millisecond), beep(350, 400*time.Millisecond, 0.3), quiet(100*time.Millisecond), beep(280, 300*time.Millisecond, 0.3))
	l := &loud{at: start.Add(time.Second), samples: words}
	for name, c := range map[string]struct {
		sound []float32
		want  listen.Problem
	}{
		"the echo": {words, listen.OwnVoice},
		"a person": {join(beep(300, 600*time.Millisecond, 0.3), quiet(250*time.Millisecond), beep(300, 350*time.Millisecond, 0.3)), ""},
	} {
		b := newBench(t, func(c *listen.Config) { c.Echo = l })
		b.hear(t, quiet(time.Second+time.Duration(len(words))*time.Second/audio.Rate))
		b.hear(t, join(c.sound, quiet(time.Second)))
		if u := b.only(t); u.Problem != c.want {
			t.Errorf("%s: %q, want %q", name, u.Problem, c.want)
		}
	}
}

// The answer is there when the silence is: what was said was heard in the pause
// before, and not once more.
func TestTheTextIsReadyBeforeTheSilenceIsOver(t *testing.T) {
	var told []listen.Utterance
	guesses, atEnd := 0, 0
	var b *bench
	b = newBench(t, func(c *listen.Config) {
		c.Patient = false
		c.Heard = func(u listen.Utterance) { told, atEnd = append(told, u), len(b.writer.heard) }
		c.Talking = func(u listen.Utterance) {
			if u.Text != "" {
				guesses = len(b.writer.heard)
			}
		}
		c.Complete = func(text string) bool { return text == "Pick up the red block." }
		c.Early = 100 * time.Millisecond
	})
	sound := join(quiet(time.Second), beep(300, time.Second, 0.3), quiet(time.Second))
	for ; len(sound) >= audio.Frame; sound = sound[audio.Frame:] {
		b.hear(t, sound[:audio.Frame])
		if err := b.Work(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(told) != 1 {
		t.Fatalf("%d utterances", len(told))
	}
	if late := told[0].Decided.Sub(told[0].Until); late > 200*time.Millisecond {
		t.Errorf("a whole command ends after %v of silence", late)
	}
	if guesses == 0 || atEnd != guesses {
		t.Errorf("%d guesses, recognised %d times when it was told", guesses, atEnd)
	}
	if c := b.Counts(); c.Segments != 1 || c.Believed != 1 || c.Dropped != 0 {
		t.Errorf("%+v", c)
	}
}

// A recogniser that hangs costs utterances, which are told, and never the
// microphone its time.
func TestAQueueThatIsFull(t *testing.T) {
	b := newBench(t, func(c *listen.Config) { c.Patient = false })
	// Nobody runs: the queue fills.
	for range 7 {
		b.hear(t, join(beep(300, 500*time.Millisecond, 0.3), quiet(time.Second)))
	}
	if c := b.Counts(); c.Dropped != 3 || len(b.heard) != 3 || b.heard[0].Problem != listen.Busy {
		t.Errorf("%+v, %d told", c, len(b.heard))
	}
}

func TestNewNeedsItsParts(t *testing.T) {
	if _, err := listen.New(listen.Config{}); err == nil {
		t.Error("a listener of nothing")
	}
}
