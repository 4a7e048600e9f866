package daemon

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
)

// twoCommands says a command in the room and, while the robot does it, hands on another
// person's as text, which no noise makes another one. It gives the ids of both.
func twoCommands(t *testing.T, rule string) (r *talkingRig, first, second string) {
	t.Helper()
	r = newTalkingRig(t, func(c *config.Voice) { c.Commands, c.Speaker, c.StopWords = rule, config.None, []string{} })
	r.speak("put the red block in the blue bowl")
	r.await("the first command", func(said []topics.Said, _ []topics.Event) bool {
		if i := slices.IndexFunc(said, commanded); i >= 0 {
			first = said[i].ID
		}
		return first != ""
	})
	if err := r.underWay(t.Context()); err != nil {
		t.Fatal(err)
	}
	second = "second"
	r.daemon.voice.command(spoken{second, "pick up the green block"}, false)
	return r, first, second
}

// at gives the number of the first event of a kind for an id, -1 for none.
func at(events []topics.Event, id string, kind topics.EventKind) int {
	return slices.IndexFunc(events, func(e topics.Event) bool { return e.ID == id && e.Kind == kind })
}

// By one rule a second person's command takes the place of the first one's, by the other
// it is carried out after it; what is too much is refused, and a stop forgets what waits.
func TestASecondPersonsCommandReplaces(t *testing.T) {
	r, first, second := twoCommands(t, config.Replace)
	r.await("the second plan's end", func(_ []topics.Said, events []topics.Event) bool {
		return at(events, second, topics.EventSucceeded) >= 0
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	if at(r.events, first, topics.EventSucceeded) >= 0 {
		t.Errorf("the first plan went on: %+v", r.events)
	}
}

func TestASecondPersonsCommandQueues(t *testing.T) {
	r, first, second := twoCommands(t, config.Queue)
	for i := range waitingCommands {
		r.daemon.voice.command(spoken{fmt.Sprintf("more-%d", i), "pick up the green block"}, false)
	}
	r.await("one that is too many", func(_ []topics.Said, events []topics.Event) bool {
		return slices.ContainsFunc(events, func(e topics.Event) bool {
			return e.ID == fmt.Sprintf("more-%d", waitingCommands-1) && e.Kind == topics.EventRefused && strings.Contains(e.Reason, "wait already")
		})
	})
	r.await("the second plan's beginning", func(_ []topics.Said, events []topics.Event) bool {
		return at(events, second, topics.EventAccepted) >= 0
	})
	r.daemon.Stop("the test has seen it")
	r.await("the stop", func(_ []topics.Said, events []topics.Event) bool {
		return slices.ContainsFunc(events, func(e topics.Event) bool { return e.Kind == topics.EventStopped })
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	if a, b := at(r.events, first, topics.EventSucceeded), at(r.events, second, topics.EventAccepted); a < 0 || a > b {
		t.Errorf("the first plan ended at event %d, the second began at %d: %+v", a, b, r.events)
	}
	if at(r.events, fmt.Sprintf("more-%d", waitingCommands-2), topics.EventAccepted) >= 0 {
		t.Error("what waited is carried out after a stop")
	}
}
