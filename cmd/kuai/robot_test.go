package main

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/topics"
)

// fakeRobot answers over a real broker as the daemon would.
type fakeRobot struct {
	t      *testing.T
	url    string
	server *broker.Server
	link   *broker.Link

	mu   sync.Mutex
	mode string
	// answer plays what follows an instruction or a skill.
	answer func(r *fakeRobot, id, what string)
	asked  []string
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func startRobot(t *testing.T, answer func(r *fakeRobot, id, what string)) *fakeRobot {
	t.Helper()
	server, err := broker.StartServer(broker.ServerOptions{Listen: "127.0.0.1:0", Robot: "so101", Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	r := &fakeRobot{t: t, url: server.URL(), server: server, mode: "held", answer: answer}
	o := broker.LinkOptions{URL: r.url, Robot: "so101", Role: "test", Will: []byte(`{"status":"offline","robot":"so101"}`)}
	for _, name := range []string{topics.NameInstruction, topics.NameSkill, topics.NameReset, topics.NameRelease, topics.NameStop} {
		// On a goroutine of its own, because an answer waits for the link.
		o.Subscriptions = append(o.Subscriptions, broker.Subscription{Name: name, QoS: 1, Handle: func(m broker.Message) { go r.take(m) }})
	}
	if r.link, err = broker.Dial(deadline(t), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.link.Close(nil) })
	r.say(topics.NameHealth, true, topics.Health{Status: topics.Online, Robot: "so101", Driver: "sim", Model: "small"})
	return r
}

func (r *fakeRobot) say(name string, retained bool, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		r.t.Error(err)
		return
	}
	if err := r.link.Send(deadline(r.t), name, retained, data); err != nil && r.t.Context().Err() == nil {
		r.t.Error(err)
	}
}

func (r *fakeRobot) event(e topics.Event) { r.say(topics.NameEvent, false, e) }

func (r *fakeRobot) state() {
	r.say(topics.NameState, false, topics.State{At: 1, Mode: r.mode, Joints: []topics.JointState{{Name: "elbow_flex", Position: 0.5}}})
}

func (r *fakeRobot) take(m broker.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, m.Name+" "+string(m.Payload))
	switch m.Name {
	case topics.NameStop:
		r.mode = "stopped"
		r.state()
	case topics.NameReset:
		reset, err := topics.DecodeReset(m.Payload)
		switch {
		case err != nil:
			r.t.Error(err)
		case r.mode == "fault":
			r.event(topics.Event{Kind: topics.EventRefused, ID: reset.ID, Reason: "the elbow is too hot"})
		default:
			r.mode = "held"
			r.event(topics.Event{Kind: topics.EventReset, ID: reset.ID})
		}
	case topics.NameRelease:
		release, err := topics.DecodeRelease(m.Payload)
		switch {
		case err != nil:
			r.t.Error(err)
		case r.mode == "fault":
			r.event(topics.Event{Kind: topics.EventRefused, ID: release.ID, Reason: "the elbow is too hot"})
		default:
			r.event(topics.Event{Kind: topics.EventSucceeded, ID: release.ID})
		}
	case topics.NameInstruction:
		instruction, err := topics.DecodeInstruction(m.Payload)
		if err != nil {
			r.t.Error(err)
		}
		r.answer(r, instruction.ID, instruction.Text)
	case topics.NameSkill:
		skill, err := topics.DecodeSkill(m.Payload)
		if err != nil {
			r.t.Error(err)
		}
		r.answer(r, skill.ID, skill.Name)
	}
}

// tell publishes states until ctx ends, as the daemon does.
func (r *fakeRobot) tell(ctx context.Context) {
	for ctx.Err() == nil {
		r.mu.Lock()
		r.state()
		r.mu.Unlock()
	}
}

// plan gives a plan of two steps in three stages.
func plan(id, text string, stage int) topics.Plan {
	p := topics.Plan{ID: id, Instruction: text, Status: topics.PlanRunning, Step: 1, Runner: "scripted", Affordance: "scripted", Seconds: 0.3}
	pick := topics.Step{Number: 1, Skill: "pick(red block)", Phrase: "pick up the red block", Outcome: "running", Seconds: 0.1, ScoreMS: 212, Visited: 9, Nodes: 60,
		Candidates: []topics.Candidate{
			{Skill: "pick(red block)", Phrase: "pick up the red block", Say: 0.034, Can: 0.97, Product: 0.033},
			{Skill: "home()", Phrase: "move the arm home", Say: 0.0000123, Can: 1, Product: 0.0000123},
		}}
	done := topics.Step{Number: 2, Skill: "done()", Phrase: "done", Outcome: "succeeded"}
	switch stage {
	case 0:
		p.History = []topics.Step{pick}
	case 1:
		pick.Outcome, pick.Seconds = "succeeded", 2.1
		p.History, p.Status, p.Seconds = []topics.Step{pick, done}, topics.PlanSucceeded, 2.4
	case 2:
		pick.Outcome, pick.Seconds, pick.Reason = "failed", 1.5, "the block slipped"
		p.History, p.Status, p.Reason, p.Seconds = []topics.Step{pick}, topics.PlanFailed, "pick(red block) failed three times", 4.2
	}
	return p
}

func succeeds(r *fakeRobot, id, text string) {
	r.event(topics.Event{Kind: topics.EventAccepted, ID: id})
	r.say(topics.NamePlan, true, plan("somebody else's", "dance", 2))
	r.say(topics.NamePlan, true, plan(id, text, 0))
	r.say(topics.NamePlan, true, plan(id, text, 1))
	r.event(topics.Event{Kind: topics.EventSucceeded, ID: id})
}

// lockedBuffer is written by a process while the test reads it.
type lockedBuffer struct {
	mu   sync.Mutex
	data []byte
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data = append(b.data, p...)
	return len(p), nil
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.data)
}
