package daemon

import (
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
)

// A stop phrase stops the robot when it is all that is said, and not within a
// sentence; the text alone tells it, no detector of words.
func TestAStopPhraseStopsTheRobotWhenItIsAll(t *testing.T) {
	r := newTalkingRig(t, func(c *config.Voice) { c.StopWords, c.Speaker = []string{}, config.None })
	if err := r.daemon.instruct(topics.Instruction{ID: "1", Text: "put the red block in the blue bowl"}); err != nil {
		t.Fatal(err)
	}
	if err := r.underWay(t.Context()); err != nil {
		t.Fatal(err)
	}
	heard := func(word string) func([]topics.Said, []topics.Event) bool {
		return func(said []topics.Said, _ []topics.Event) bool {
			return slices.ContainsFunc(said, func(s topics.Said) bool { return s.Who == "person" && strings.Contains(strings.ToLower(s.Text), word) })
		}
	}
	r.speak("hold it tight with both hands")
	r.await("the sentence", heard("hands"))
	if s := r.daemon.loop.Status(); s.Verdict.Mode == safety.Stopped {
		t.Fatalf("the robot is %v after a sentence that begins with a stop phrase", s.Verdict.Mode)
	}
	r.speak("hold it!")
	if err := r.until(t.Context(), safety.Stopped); err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		t.Fatalf("%v; said: %+v", err, r.said)
	}
	r.await("the stop in the conversation", func(said []topics.Said, _ []topics.Event) bool {
		return slices.ContainsFunc(said, func(s topics.Said) bool { return s.Kind == topics.SaidStop })
	})
}
