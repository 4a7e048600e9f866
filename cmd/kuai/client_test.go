package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/topics"
)

func TestNobodyThere(t *testing.T) {
	for _, args := range [][]string{{"say", "go"}, {"skill", "home"}, {"stop"}, {"reset"}, {"status"}} {
		got := kuai(t.Context(), map[string]string{"KUAI_BROKER": "tcp://127.0.0.1:1"}, "", args...)
		if got.status != exitUnreachable || !strings.Contains(got.errors, "kuai doctor") {
			t.Errorf("%v: %+v", args, got)
		}
	}
}

func TestSayPrintsThePlanAsItUnfolds(t *testing.T) {
	r := startRobot(t, succeeds)
	got := kuai(t.Context(), map[string]string{"KUAI_BROKER": r.url}, "", "say", "pick up the red", "block")
	want := `pick up the red block
skills: scripted, can: scripted
1. pick up the red block  decided in 212 ms, 9 of 60 nodes
       say      can  product
     0.034    0.970    0.033  pick up the red block  <
   1.2e-05    1.000  1.2e-05  move the arm home
   succeeded in 2.1s
2. done
   ends the plan
succeeded in 2.4s
`
	if got.status != 0 || got.out != want || got.errors != "" {
		t.Errorf("%d\n%s\nwant\n%s\nerrors %s", got.status, got.out, want, got.errors)
	}
}

func TestHowSayEnds(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(*fakeRobot, string, string)
		status int
		says   string
	}{
		{"refused", func(r *fakeRobot, id, _ string) {
			r.event(topics.Event{Kind: topics.EventRefused, ID: id, Reason: "stop message: the cat"})
		}, exitRefused, "refused: the robot is stopped (stop message: the cat); kuai reset lets it move again"},
		{"gave up", func(r *fakeRobot, id, text string) {
			r.event(topics.Event{Kind: topics.EventAccepted, ID: id})
			r.say(topics.NamePlan, true, plan(id, text, 2))
		}, exitGaveUp, "gave up after 4.2s: pick(red block) failed three times"},
		{"succeeded without a plan", func(r *fakeRobot, id, _ string) {
			r.event(topics.Event{Kind: topics.EventSucceeded, ID: id})
		}, 0, ""},
		{"the robot goes offline", func(r *fakeRobot, id, text string) {
			r.event(topics.Event{Kind: topics.EventAccepted, ID: id})
			r.say(topics.NameHealth, true, topics.Health{Status: topics.Offline, Robot: "so101"})
		}, exitUnreachable, "so101 is offline"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := startRobot(t, c.answer)
			got := kuai(t.Context(), nil, "", "say", "--broker", r.url, "go")
			if got.status != c.status || !strings.Contains(got.errors, c.says) {
				t.Errorf("%+v, want status %d and %q", got, c.status, c.says)
			}
		})
	}
}

func TestSayByStandardInputAsJSON(t *testing.T) {
	r := startRobot(t, succeeds)
	got := kuai(t.Context(), map[string]string{"KUAI_BROKER": r.url}, "clear the table\n", "say", "--json", "-")
	if got.status != 0 || got.errors != "" {
		t.Fatalf("%+v", got)
	}
	count := map[string]int{}
	for line := range strings.Lines(got.out) {
		var m struct {
			Topic   string
			Payload map[string]any
		}
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		count[m.Topic]++
		if m.Topic == topics.NamePlan && m.Payload["instruction"] != "clear the table" {
			t.Errorf("somebody else's plan: %s", line)
		}
	}
	if count[topics.NamePlan] != 2 || count[topics.NameEvent] == 0 {
		t.Errorf("printed %v", count)
	}
}

func TestSayGivesUpWatchingWhenInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := startRobot(t, func(r *fakeRobot, id, text string) {
		r.event(topics.Event{Kind: topics.EventAccepted, ID: id})
		cancel()
	})
	got := kuai(ctx, map[string]string{"KUAI_BROKER": r.url}, "", "say", "go")
	if got.status != exitInterrupted || !strings.Contains(got.errors, "the robot goes on (kuai stop halts it)") {
		t.Errorf("%+v", got)
	}
}

func TestSkillStopResetStatus(t *testing.T) {
	r := startRobot(t, succeeds)
	env := map[string]string{"KUAI_BROKER": r.url}
	if got := kuai(t.Context(), env, "", "skill", "pick", "red block", "--detach"); got.status != 0 {
		t.Errorf("skill: %+v", got)
	}
	if got := kuai(t.Context(), env, "", "stop", "the", "cat"); got.status != 0 || !strings.Contains(got.out, "stopped (confirmed after") {
		t.Errorf("stop: %+v", got)
	}
	if got := kuai(t.Context(), env, "", "reset"); got.status != 0 || got.out != "ready to move\n" {
		t.Errorf("reset: %+v", got)
	}
	if got := kuai(t.Context(), env, "", "release"); got.status != 0 || got.out != "released; kuai engage makes the joints hold again\n" {
		t.Errorf("release: %+v", got)
	}
	if got := kuai(t.Context(), env, "", "engage", "--json"); got.status != 0 || !strings.Contains(got.out, `"kind":"succeeded"`) {
		t.Errorf("engage: %+v", got)
	}
	r.mu.Lock()
	asked := strings.Join(r.asked, "\n")
	r.mode = "fault"
	r.mu.Unlock()
	if !strings.Contains(asked, `"name":"pick","args":["red block"]`) || !strings.Contains(asked, "stop the cat") {
		t.Errorf("asked: %s", asked)
	}
	if got := kuai(t.Context(), env, "", "release"); got.status != exitRefused || !strings.Contains(got.errors, "release refused: the elbow is too hot") {
		t.Errorf("release in a fault: %+v", got)
	}
	if got := kuai(t.Context(), env, "", "reset"); got.status != exitRefused || !strings.Contains(got.errors, "too hot") {
		t.Errorf("reset in a fault: %+v", got)
	}
	telling, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.tell(telling) }()
	plain, asJSON := kuai(t.Context(), env, "", "status"), kuai(t.Context(), env, "", "status", "--json")
	stop()
	<-done
	for _, want := range []string{"so101  online", "mode       fault", "driver     sim", "elbow_flex"} {
		if !strings.Contains(plain.out, want) {
			t.Errorf("status lacks %q: %+v", want, plain)
		}
	}
	var s status
	if err := json.Unmarshal([]byte(asJSON.out), &s); err != nil || s.Health.Robot != "so101" || s.State.Mode != "fault" {
		t.Errorf("status --json: %+v, %v", asJSON, err)
	}
}

func TestStopJSON(t *testing.T) {
	r := startRobot(t, nil)
	got := kuai(t.Context(), map[string]string{"KUAI_BROKER": r.url}, "", "stop", "--json")
	var s struct {
		Mode        string  `json:"mode"`
		ConfirmedMS float64 `json:"confirmed_ms"`
	}
	if err := json.Unmarshal([]byte(got.out), &s); err != nil || s.Mode != "stopped" || s.ConfirmedMS <= 0 {
		t.Errorf("%+v, %v", got, err)
	}
}
