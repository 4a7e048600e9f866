package daemon

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/perception/audio"
)

// beeps gives so many tones of a machine, a third of a second apart.
func beeps(times int, hz float64) []float32 {
	x := make([]float32, times*audio.Rate/3)
	for n := range times {
		for i := range audio.Rate / 6 {
			x[n*audio.Rate/3+i] = float32(0.5 * math.Sin(2*math.Pi*hz*float64(i)/audio.Rate))
		}
	}
	return x
}

// A sound that begins in the room is told once, as what it is; it moves nothing.
func TestSoundsAreTold(t *testing.T) {
	if _, err := findSpeech(textModel); err != nil {
		t.Skip(err)
	}
	r := newTalkingRig(t, func(c *config.Voice) {
		c.Sounds, c.Speaker = []string{"clap", "knock", "glass", "beep", "alarm", "ring"}, config.None
	})
	at := r.daemon.clock.Now().Add(300 * time.Millisecond)
	r.daemon.voice.room.Say(at, 1, beeps(9, 1000))
	isSound := func(e topics.Event) bool { return e.Kind == topics.EventSound }
	r.await("a sound", func(_ []topics.Said, events []topics.Event) bool { return slices.ContainsFunc(events, isSound) })
	r.still("a beep", at.Add(4*time.Second))
	r.mu.Lock()
	defer r.mu.Unlock()
	var told []string
	for _, e := range r.events {
		if isSound(e) {
			told = append(told, e.Reason)
		}
	}
	if len(told) != 1 || !strings.HasPrefix(told[0], "beep, heard by microphone table") {
		t.Errorf("told %q, want one beep", told)
	}
}

// The robot speaks, its loudspeaker is heard by its own microphone, and somebody
// calls it meanwhile: it listens to what is said next, although it is not called
// again. What it says itself calls nobody.
func TestCalledWhileItSpeaks(t *testing.T) {
	r := newTalkingRig(t, func(c *config.Voice) { c.Listen = config.ListenWake })
	v := r.daemon.voice
	v.speaker.Say("Hey robot, pick up the red block.")
	r.quiet()
	end := r.speak("pick up the red block")
	r.still("only the robot itself said its name", end.Add(1500*time.Millisecond))

	r.quiet()
	v.speaker.Say("I can see a red block, a green block and a blue bowl on the table.")
	r.speaking()
	called := r.speak("hey robot")
	if err := r.daemon.clock.Wait(t.Context(), called.Add(500*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	r.quiet() // with the tone that says that it listens
	if err := r.daemon.clock.Wait(t.Context(), r.daemon.clock.Now().Add(500*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	r.speak("pick up the red block")
	r.await("a command", func(said []topics.Said, _ []topics.Event) bool { return slices.ContainsFunc(said, commanded) })
	if err := r.underWay(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// speaking waits until the robot is in the middle of a sentence.
func (r *talkingRig) speaking() {
	r.t.Helper()
	for r.daemon.voice.speaker.Quiet() {
		if err := r.daemon.clock.Wait(r.t.Context(), r.daemon.clock.Now().Add(20*time.Millisecond)); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := r.daemon.clock.Wait(r.t.Context(), r.daemon.clock.Now().Add(700*time.Millisecond)); err != nil {
		r.t.Fatal(err)
	}
}
