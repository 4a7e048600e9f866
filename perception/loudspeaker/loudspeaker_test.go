package loudspeaker_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/loudspeaker"
	"github.com/kuai-robot/kuai/robot"
)

const start = robot.Time(time.Second)

// output plays by a clock.
type output struct {
	clock *robot.ManualClock
	err   error
}

func (o *output) Emit(ctx context.Context, samples []float32, began func(at robot.Time)) error {
	if o.err != nil {
		return o.err
	}
	now := o.clock.Now()
	began(now)
	return o.clock.Wait(ctx, now.Add(time.Duration(len(samples))*time.Second/audio.Rate))
}

func newLoudspeaker(t *testing.T, o *output) (*loudspeaker.Loudspeaker, chan error) {
	t.Helper()
	o.clock = robot.NewManualClock(time.Unix(0, 0), start)
	failed := make(chan error, 4)
	l, err := loudspeaker.New(loudspeaker.Config{Output: o, Clock: o.clock, Tail: 300 * time.Millisecond, Failed: func(err error) { failed <- err }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	return l, failed
}

func await(is func() bool) {
	for !is() {
		runtime.Gosched()
	}
}

func ones(n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = 1
	}
	return s
}

func TestWhatWasPlayedIsKnownToTheSample(t *testing.T) {
	o := &output{}
	l, _ := newLoudspeaker(t, o)
	l.Play(ones(audio.Rate / 2))
	await(func() bool { return o.clock.Waiting() == 1 })
	o.clock.Advance(500 * time.Millisecond)
	await(l.Quiet)
	dst := make([]float32, audio.Rate)
	if !l.Played(dst, start.Add(-250*time.Millisecond)) {
		t.Fatal("it played nothing")
	}
	for i, x := range dst {
		if want := i >= audio.Rate/4 && i < 3*audio.Rate/4; (x == 1) != want {
			t.Fatalf("sample %d is %g", i, x)
		}
	}
	end := start.Add(500 * time.Millisecond)
	for at, want := range map[robot.Time]bool{start.Add(-30 * time.Millisecond): false, end.Add(299 * time.Millisecond): true, end.Add(300 * time.Millisecond): false} {
		if got := l.Played(dst[:audio.Frame], at); got != want {
			t.Errorf("at %v: %v", at, got)
		}
	}
}

func TestHushEndsEverything(t *testing.T) {
	o := &output{}
	l, failed := newLoudspeaker(t, o)
	l.Play(ones(10 * audio.Rate))
	l.Play(ones(10 * audio.Rate))
	await(func() bool { return o.clock.Waiting() == 1 })
	o.clock.Advance(200 * time.Millisecond)
	l.Hush()
	await(l.Quiet)
	dst := make([]float32, audio.Frame)
	if l.Played(dst, start.Add(600*time.Millisecond)) {
		t.Error("it is still heard after the tail")
	}
	if !l.Played(dst, start.Add(190*time.Millisecond)) || len(failed) > 0 {
		t.Error("what was played before is forgotten, or hushing is an error")
	}
}

func TestAFullQueueDropsAndABrokenOutputIsToldOnce(t *testing.T) {
	o := &output{err: loudspeaker.ErrNoSound}
	l, failed := newLoudspeaker(t, o)
	for range 3 {
		l.Play(ones(10))
		await(l.Quiet)
	}
	if err := <-failed; !errors.Is(err, loudspeaker.ErrNoSound) || len(failed) != 0 {
		t.Errorf("%v, and %d more", err, len(failed))
	}
	silent, err := loudspeaker.New(loudspeaker.Config{Output: o, Clock: o.clock})
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		silent.Signal(loudspeaker.Stopped) // nobody runs it
	}
	if silent.Dropped() != 12 {
		t.Errorf("%d dropped of 20, 8 wait", silent.Dropped())
	}
}

func TestEarconsAreShortAndTellApart(t *testing.T) {
	seen := map[int]bool{}
	for _, e := range []loudspeaker.Earcon{loudspeaker.Listening, loudspeaker.Understood, loudspeaker.Stopped, loudspeaker.NotUnderstood} {
		s := e.Samples()
		if n := len(s); n < audio.Rate/20 || n > audio.Rate/2 || seen[n] {
			t.Errorf("earcon %d has %d samples", e, n)
		}
		seen[len(s)] = true
		if l := audio.Level(s); l < 0.05 || l > 0.3 {
			t.Errorf("earcon %d has level %.2f", e, l)
		}
		for i := 1; i < len(s); i++ {
			if d := math.Abs(float64(s[i] - s[i-1])); d > 0.15 {
				t.Fatalf("earcon %d clicks at %d: %.2f", e, i, d)
			}
		}
	}
}

func TestEspeak(t *testing.T) {
	english, err := loudspeaker.Espeak{}.Speak(t.Context(), "I did not understand that.")
	if err != nil && strings.Contains(err.Error(), "not installed") {
		t.Skip(err)
	}
	if err != nil || len(english) < audio.Rate || audio.Level(english) < 0.01 {
		t.Fatalf("%d samples, %v", len(english), err)
	}
	if mandarin, err := (loudspeaker.Espeak{Voice: "zh"}).Speak(t.Context(), "我没听懂。"); err != nil || len(mandarin) < audio.Rate/2 {
		t.Errorf("%d samples, %v", len(mandarin), err)
	}
	if _, err := (loudspeaker.Espeak{Voice: "no such voice"}).Speak(t.Context(), "a"); err == nil {
		t.Error("a voice that does not exist spoke")
	}
	if _, err := (loudspeaker.Espeak{}).Speak(t.Context(), strings.Repeat("a", 5000)); err == nil {
		t.Error("an endless text was spoken")
	}
}
