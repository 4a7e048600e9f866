package daemon

import (
	"testing"

	"github.com/kuai-robot/kuai/internal/topics"
)

// While a skill runs, the state says for whom the joints move and where the
// skill's object shows, and the stages have been measured.
func TestRunningSkillIsShown(t *testing.T) {
	r, h := start(t, nil)
	r.mustSend(t, topics.NameSkill, topics.Skill{ID: "1", Name: "pick", Args: []string{"red block"}})
	h.kind("1", topics.EventStepStarted)
	for {
		s := <-h.states
		if s.Source == "" {
			continue // not yet under way
		}
		if s.Source != "skill" {
			t.Fatalf("the joints follow %q", s.Source)
		}
		seen := false
		for _, m := range s.Marks {
			seen = seen || m.Camera == "front" && m.Name == "red block" && m.Size > 0.02 && m.Size < 0.5
		}
		if !seen {
			t.Errorf("the marks are %+v, want one of the red block in the front camera", s.Marks)
		}
		break
	}
	if e := h.kind("1", topics.EventSucceeded, topics.EventFailed); e.Kind != topics.EventSucceeded {
		t.Fatalf("%s: %s", e.Kind, e.Reason)
	}
	if marks := r.daemon.marks(); marks != nil {
		t.Errorf("nothing runs, and the marks are %+v", marks)
	}
	want := map[string]bool{"capture": true, "chunk": true, "command": true}
	for _, s := range r.daemon.health().Stages {
		if !want[s.Name] || s.MS < 0 || s.P50MS <= 0 || s.P99MS < s.P50MS {
			t.Errorf("stage %+v", s)
		}
		delete(want, s.Name)
	}
	if len(want) > 0 {
		t.Errorf("the stages %v were not measured", want)
	}
}
