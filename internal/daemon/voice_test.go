package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/perception/loudspeaker"
	"github.com/kuai-robot/kuai/robot"
)

// talkingRig is a robot in a room where people speak.
type talkingRig struct {
	*rig
	t *testing.T

	mu     sync.Mutex
	said   []topics.Said
	events []topics.Event
	change chan struct{}
}

func newTalkingRig(t *testing.T, change func(*config.Voice)) *talkingRig {
	t.Helper()
	if _, err := findSpeech(config.Default().Voice.Model); err != nil {
		t.Skip(err)
	}
	if _, err := (loudspeaker.Espeak{}).Speak(t.Context(), "a"); err != nil {
		t.Skip(err)
	}
	c := config.Default()
	// Real time is lost where a recogniser runs under the race detector; what a
	// late joint state does is tested elsewhere.
	c.Safety.MaxStateAge = 2 * time.Second
	c.Voice.Microphones = []config.Microphone{{Name: "table", URL: config.SimSound}}
	c.Voice.Speaker = config.SimSound
	if change != nil {
		change(&c.Voice)
	}
	r := &talkingRig{t: t, change: make(chan struct{}, 1)}
	var err error
	if r.rig, err = startRig(t.Context(), &c, r.told); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.close(); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	if err := r.daemon.voice.ears.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *talkingRig) told(topic *topics.Topic, payload []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch topic.Name {
	case topics.NameConversation:
		var s topics.Said
		if json.Unmarshal(payload, &s) == nil && s.Kind != topics.SaidHearing {
			r.said = append(r.said, s)
		}
	case topics.NameEvent:
		var e topics.Event
		if json.Unmarshal(payload, &e) == nil {
			r.events = append(r.events, e)
		}
	default:
		return
	}
	select {
	case r.change <- struct{}{}:
	default:
	}
}

// speak lets a person say text and gives when the last word ends.
func (r *talkingRig) speak(text string) robot.Time {
	r.t.Helper()
	samples, err := (loudspeaker.Espeak{Voice: "en-gb-scotland", Speed: 140}).Speak(r.t.Context(), text)
	if err != nil {
		r.t.Fatal(err)
	}
	at := r.daemon.clock.Now().Add(100 * time.Millisecond)
	r.daemon.voice.room.Say(at, 1, samples)
	return at.Add(time.Duration(len(samples)) * time.Second / 16000)
}

// await waits until what was told fulfils is.
func (r *talkingRig) await(what string, is func(said []topics.Said, events []topics.Event) bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 40*time.Second)
	defer cancel()
	for {
		r.mu.Lock()
		ok := is(r.said, r.events)
		said, events := slices.Clone(r.said), slices.Clone(r.events)
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-r.change:
		case <-ctx.Done():
			r.t.Fatalf("%s: nothing of the kind; said %+v; events %+v", what, said, events)
		}
	}
}

// quiet waits until the robot has said what it has to say and hears again.
func (r *talkingRig) quiet() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	for !r.daemon.voice.speaker.Quiet() {
		if err := r.daemon.clock.Wait(ctx, r.daemon.clock.Now().Add(20*time.Millisecond)); err != nil {
			r.t.Fatal(err)
		}
	}
}

func commanded(s topics.Said) bool { return s.Kind == topics.SaidHeard && s.Instruction != "" }

// A person tells the robot what to do, it does it; "stop" in mid-motion stops it;
// and what it says itself commands nothing.
func TestSpokenCommandMovesTheRobotAndStopStopsIt(t *testing.T) {
	r := newTalkingRig(t, nil)
	r.speak("put the red block in the blue bowl")
	r.await("a command", func(said []topics.Said, _ []topics.Event) bool { return slices.ContainsFunc(said, commanded) })
	if err := r.underWay(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	first := r.said[slices.IndexFunc(r.said, commanded)]
	r.mu.Unlock()
	if first.Instruction != "put the red block in the blue bowl" {
		t.Errorf("heard %+v", first)
	}
	word := r.speak("stop!")
	if err := r.until(t.Context(), safety.Stopped); err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		t.Fatalf("%v; said: %+v", err, r.said)
	}
	t.Logf("stopped %v after the end of the word", r.daemon.clock.Now().Sub(word))
	r.await("the stop in the conversation", func(said []topics.Said, _ []topics.Event) bool {
		return slices.ContainsFunc(said, func(s topics.Said) bool { return s.Kind == topics.SaidStop })
	})
	// A stopped robot moves for nobody, whether or not it understands.
	r.quiet()
	r.mu.Lock()
	before := len(r.said)
	r.mu.Unlock()
	r.speak("put the red block in the blue bowl")
	r.await("what becomes of it", func(said []topics.Said, _ []topics.Event) bool {
		return slices.ContainsFunc(said[before:], func(s topics.Said) bool { return s.Who == "person" && s.Kind != topics.SaidStop })
	})
	r.await("one command taken, not two", func(_ []topics.Said, events []topics.Event) bool {
		accepted := 0
		for _, e := range events {
			if e.Kind == topics.EventAccepted {
				accepted++
			}
		}
		return accepted == 1
	})
	if s := r.daemon.loop.Status(); s.Verdict.Mode != safety.Stopped {
		t.Errorf("the robot is %v", s.Verdict.Mode)
	}
}

func TestTheRobotDoesNotObeyItself(t *testing.T) {
	r := newTalkingRig(t, nil)
	v := r.daemon.voice
	v.speaker.Say("Put the red block in the blue bowl.")
	v.speaker.Say("Stop.")
	r.quiet()
	// What was heard of it would have been told by then.
	if err := r.daemon.clock.Wait(t.Context(), r.daemon.clock.Now().Add(2*time.Second)); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.said {
		if s.Who == "person" && s.Kind != topics.SaidIgnored {
			t.Errorf("the robot heard itself: %+v", s)
		}
	}
	if s := r.daemon.loop.Status(); s.Verdict.Mode != safety.Held {
		t.Errorf("the robot is %v: %s", s.Verdict.Mode, r.daemon.loop.Reason(&s))
	}
}
