package daemon

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/perception/keyword"
	"github.com/kuai-robot/kuai/robot"
)

// still fails when the robot moves, or obeys, within the time after at.
func (r *talkingRig) still(why string, until robot.Time) {
	r.t.Helper()
	if err := r.daemon.clock.Wait(r.t.Context(), until); err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.ContainsFunc(r.said, commanded) {
		r.t.Errorf("%s: it obeyed: %+v", why, r.said)
	}
	if s := r.daemon.loop.Status(); s.Verdict.Mode != safety.Held {
		r.t.Errorf("%s: the robot is %v", why, s.Verdict.Mode)
	}
}

// With a wake word in front a command is obeyed, without one it is nobody's.
func TestOnlyWhoCallsTheRobotIsObeyed(t *testing.T) {
	r := newTalkingRig(t, func(c *config.Voice) { c.Listen, c.Speaker, c.StopWords = config.ListenWake, config.None, []string{} })
	known := slices.ContainsFunc(r.daemon.config.Voice.WakeWords, func(w string) bool { return slices.Contains(keyword.Words(), w) })
	t.Logf("the word detector knows a wake word: %v; the text is looked at as well", known)
	end := r.speak("pick up the red block")
	r.await("it was heard", func(said []topics.Said, _ []topics.Event) bool { return len(said) > 0 })
	r.still("nobody called it", end.Add(time.Second))
	r.speak("hey robot, pick up the red block")
	r.await("a command", func(said []topics.Said, _ []topics.Event) bool { return slices.ContainsFunc(said, commanded) })
	if err := r.underWay(t.Context()); err != nil {
		t.Fatal(err)
	}
	text := scrape(r.daemon)
	for _, want := range []string{`kuai_microphone_live{microphone="table"} 1`, `kuai_voice_utterances_total{as="heard"} 1`, `kuai_voice_text_seconds_count{from="speech"}`, `kuai_voice_segments_total{microphone="table"}`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in /metrics", want)
		}
	}
	for _, m := range voiceMetrics() {
		if m.Name != "voice_stop_words_total" && !strings.Contains(text, "# TYPE kuai_"+m.Name+" "+m.Kind) {
			t.Errorf("no %s of kind %s in /metrics", m.Name, m.Kind)
		}
	}
}

// What is said while the button is held is obeyed, and nothing else.
func TestOnlyWhoHoldsTheButtonIsObeyed(t *testing.T) {
	r := newTalkingRig(t, func(c *config.Voice) { c.Listen, c.Speaker, c.StopWords = config.ListenPush, config.None, []string{} })
	end := r.speak("pick up the red block")
	r.still("nobody holds the button", end.Add(2*time.Second))
	hold := func(on bool) {
		if err := r.daemon.press(topics.Talk{On: &on}); err != nil {
			t.Fatal(err)
		}
	}
	hold(true)
	end = r.speak("put the green block in the blue bowl")
	if err := r.daemon.clock.Wait(t.Context(), end.Add(200*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	hold(false)
	r.await("a command", func(said []topics.Said, _ []topics.Event) bool { return slices.ContainsFunc(said, commanded) })
	if err := r.underWay(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if got := r.said[slices.IndexFunc(r.said, commanded)].Instruction; got != "put the green block in the blue bowl" {
		t.Errorf("it was told to %s", got)
	}
}
