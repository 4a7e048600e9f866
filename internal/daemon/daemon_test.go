package daemon

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/models"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
)

// heard collects what a robot says.
type heard struct {
	t      *testing.T
	events chan topics.Event
	plans  chan topics.Plan
	states chan topics.State
}

func listenTo(t *testing.T) *heard {
	return &heard{t: t, events: make(chan topics.Event, 1000), plans: make(chan topics.Plan, 1000), states: make(chan topics.State, 1)}
}

func (h *heard) listen(topic *topics.Topic, payload []byte) {
	decode := func(v any) {
		if err := topics.Unmarshal(payload, v); err != nil {
			h.t.Errorf("%s: %s: %v", topic.Name, payload, err)
		}
	}
	switch topic.Name {
	case topics.NameEvent:
		var e topics.Event
		decode(&e)
		h.events <- e
	case topics.NamePlan:
		var p topics.Plan
		decode(&p)
		h.plans <- p
	case topics.NameState:
		var s topics.State
		decode(&s)
		select {
		case <-h.states:
		default:
		}
		h.states <- s
	}
}

// event waits for one that is wanted and gives it.
func (h *heard) event(what string, want func(topics.Event) bool) topics.Event {
	h.t.Helper()
	var seen []string
	for {
		select {
		case e := <-h.events:
			if want(e) {
				return e
			}
			seen = append(seen, fmt.Sprintf("%s %s %s %s", e.Kind, e.ID, e.Skill, e.Reason))
		case <-h.t.Context().Done():
			h.t.Fatalf("no event: %s", what)
		case <-time.After(60 * time.Second):
			h.t.Fatalf("no event within a minute: %s; there were:\n%s", what, strings.Join(seen, "\n"))
		}
	}
}

func (h *heard) kind(id string, kinds ...topics.EventKind) topics.Event {
	h.t.Helper()
	return h.event(fmt.Sprint(id, " ", kinds), func(e topics.Event) bool {
		for _, k := range kinds {
			if e.Kind == k && e.ID == id {
				return true
			}
		}
		return false
	})
}

// needModel skips where the default model has not been fetched.
func needModel(t *testing.T) {
	t.Helper()
	store, err := models.NewStore()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.FindFile(config.Default().Planner.Model); err != nil {
		t.Skipf("needs the language model: %v", err)
	}
}

func start(t *testing.T, change func(*config.Config)) (*rig, *heard) {
	t.Helper()
	needModel(t)
	c := config.Default()
	c.Sim.Camera.RateHz = 5
	tolerant(&c)
	if change != nil {
		change(&c)
	}
	h := listenTo(t)
	r, err := startRig(t.Context(), &c, h.listen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.close(); err != nil {
			t.Errorf("the daemon ended: %v", err)
		}
	})
	return r, h
}

// tolerant lets a machine that is busy with other tests be late; that a robot
// which is late stops is the safety core's to test, on a clock of its own.
func tolerant(c *config.Config) {
	c.Safety.MaxStateAge, c.Safety.MaxTick = 2*time.Second, time.Second
	for _, rule := range []*config.Rule{&c.Safety.Policy, &c.Safety.Skill, &c.Safety.Teleop} {
		rule.Expiry, rule.MaxAge = 2*time.Second, 5*time.Second
	}
}

func (r *rig) mustSend(t *testing.T, name string, m any) {
	t.Helper()
	if err := r.send(name, m); err != nil {
		t.Fatal(err)
	}
}

func TestSafetyDefaultsAreTheSafetyCores(t *testing.T) {
	c := config.Default()
	if got, want := safetyConfig(&c.Safety), safety.DefaultConfig(); got != want {
		t.Errorf("config has %+v\nsafety has %+v", got, want)
	}
}

func TestInstructionToSuccess(t *testing.T) {
	r, h := start(t, nil)
	r.mustSend(t, topics.NameInstruction, topics.Instruction{ID: "1", Text: "put the red block in the blue bowl"})
	if e := h.kind("1", topics.EventSucceeded, topics.EventFailed, topics.EventRefused); e.Kind != topics.EventSucceeded {
		t.Fatalf("%s: %s", e.Kind, e.Reason)
	}
	block, _ := r.daemon.sim.world.Scene().Find("red block")
	if block.In != "blue bowl" {
		t.Errorf("the robot says that it succeeded, but the block is in %q, on %q", block.In, block.On)
	}
	var last topics.Plan
	for len(h.plans) > 0 {
		last = <-h.plans
	}
	if last.Status != topics.PlanSucceeded || last.Runner != "scripted" || last.Affordance != "scripted" || len(last.History) < 2 {
		t.Fatalf("the plan ends as %+v", last)
	}
	for _, s := range last.History {
		if len(s.Candidates) == 0 || s.Nodes == 0 || s.Candidates[0].Skill != s.Skill {
			t.Errorf("step %d: %+v", s.Number, s)
		}
	}
}

func TestStopMidMotionLatchesUntilReset(t *testing.T) {
	r, h := start(t, nil)
	r.mustSend(t, topics.NameSkill, topics.Skill{ID: "1", Name: "pick", Args: []string{"red block"}})
	h.kind("1", topics.EventStepStarted)
	if err := r.underWay(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.hand.Publish(topics.NameStop, 1, false, []byte("enough"))
	if e := h.kind("1", topics.EventFailed); !strings.Contains(e.Reason, "enough") {
		t.Errorf("the skill failed with %q", e.Reason)
	}
	if err := r.until(t.Context(), safety.Stopped); err != nil {
		t.Fatal(err)
	}
	r.mustSend(t, topics.NameInstruction, topics.Instruction{ID: "2", Text: "put the red block in the blue bowl"})
	if e := h.kind("2", topics.EventRefused); !strings.Contains(e.Reason, "enough") {
		t.Errorf("while stopped it was refused with %q", e.Reason)
	}
	r.mustSend(t, topics.NameReset, topics.Reset{ID: "3"})
	h.kind("3", topics.EventReset)
	r.mustSend(t, topics.NameSkill, topics.Skill{ID: "4", Name: "home"})
	if e := h.kind("4", topics.EventSucceeded, topics.EventFailed, topics.EventRefused); e.Kind != topics.EventSucceeded {
		t.Errorf("after the reset: %s: %s", e.Kind, e.Reason)
	}
}

func TestWhatMakesNoSenseIsRefusedAndNothingMoves(t *testing.T) {
	r, h := start(t, nil)
	was := r.daemon.loop.Status().Command.Position
	refused := func(reason string) {
		t.Helper()
		h.event(reason, func(e topics.Event) bool { return e.Kind == topics.EventRefused && strings.Contains(e.Reason, reason) })
	}
	for _, c := range []struct {
		topic, payload, reason string
	}{
		{topics.NameInstruction, ``, "empty"},
		{topics.NameInstruction, `{"id":"1","text":"` + strings.Repeat("a", 100_000) + `"}`, "at most"},
		{topics.NameInstruction, "{\"id\":\"1\",\"text\":\"\xff\xfe\"}", "not UTF-8"},
		{topics.NameInstruction, `{"id":"1","text":"  "}`, "text is empty"},
		{topics.NameInstruction, `{"id":"1"`, "ends too early"},
		{topics.NameInstruction, `{"id":"1","text":"go","speed":9}`, `unknown field "speed"`},
		{topics.NameInstruction, `{"id":"1","text":"put the purple block in the blue bowl"}`, "there is no purple block"},
		{topics.NameSkill, `{"id":"1","name":"juggle"}`, "not in catalogue"},
		{topics.NameSkill, `{"id":"1","name":"place_in","args":["red block","blue bowl"]}`, "needs held(red block)"},
		{topics.NameReset, `[]`, "not a JSON object"},
		{topics.NameTeleop, `{"at":1,"velocity":[1]}`, "the robot has 6"},
	} {
		r.hand.Publish(c.topic, 1, false, []byte(c.payload))
		refused(c.reason)
	}
	r.hand.Publish(topics.NameInstruction, 1, true, []byte(`{"id":"1","text":"put the red block in the blue bowl"}`))
	h.kind("1", topics.EventAccepted)
	r.daemon.worker.drop("test")
	if err := r.rest(t.Context()); err != nil {
		t.Fatal(err)
	}
	late, err := broker.Dial(t.Context(), broker.LinkOptions{URL: r.daemon.Broker(), Robot: "so101", Role: "late", Subscriptions: r.daemon.subscriptions()})
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close(nil)
	refused("retained")
	now := r.daemon.loop.Status().Command.Position
	for i := range now {
		if diff := now[i] - was[i]; diff > 0.5 || diff < -0.5 {
			t.Errorf("joint %d went from %g to %g", i, was[i], now[i])
		}
	}
}

func TestAnInstructionReplacesTheOneBefore(t *testing.T) {
	r, h := start(t, nil)
	r.mustSend(t, topics.NameSkill, topics.Skill{ID: "1", Name: "pick", Args: []string{"red block"}})
	h.kind("1", topics.EventStepStarted)
	r.mustSend(t, topics.NameSkill, topics.Skill{ID: "2", Name: "home"})
	if e := h.kind("1", topics.EventFailed); e.Reason != "replaced by skill 2" {
		t.Errorf("1 failed with %q", e.Reason)
	}
	h.kind("2", topics.EventSucceeded)
}

func TestTeleopMovesAndStopsWhenItFallsSilent(t *testing.T) {
	r, _ := start(t, nil)
	clock := r.daemon.clock
	was := r.daemon.loop.Status().State.Position[0]
	for i := range 10 {
		r.mustSend(t, topics.NameTeleop, topics.Teleop{At: 1000 + float64(i)*0.05, Velocity: []float64{0.5, 0, 0, 0, 0, 0}})
		if err := clock.Wait(t.Context(), clock.Now().Add(50*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	silent := clock.Now()
	if err := r.until(t.Context(), safety.Held); err != nil {
		t.Fatal(err)
	}
	if err := r.rest(t.Context()); err != nil {
		t.Fatal(err)
	}
	took := clock.Now().Sub(silent)
	t.Logf("at rest %v after the last message", took)
	if moved := r.daemon.loop.Status().State.Position[0] - was; moved < 0.05 {
		t.Errorf("the joint moved by %g rad", moved)
	}
}

func TestTwoDaemonsOnOnePort(t *testing.T) {
	r, _ := start(t, nil)
	c := config.Default()
	private, err := privately(&c)
	if err != nil {
		t.Fatal(err)
	}
	private.Broker.Listen = strings.TrimPrefix(r.daemon.Broker(), "tcp://")
	_, err = New(Options{Config: private})
	if err == nil || !strings.Contains(err.Error(), "is taken: another kuai or MQTT broker runs there") {
		t.Errorf("the second daemon: %v", err)
	}
}

// TestABrokerThatDiesMidEpisode runs against a broker of its own, as one would
// run elsewhere.
func TestABrokerThatDiesMidEpisode(t *testing.T) {
	needModel(t)
	server, err := broker.StartServer(broker.ServerOptions{Listen: "127.0.0.1:0", Robot: "so101"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { server.Close() }()
	c := config.Default()
	private, err := privately(&c)
	if err != nil {
		t.Fatal(err)
	}
	private.Broker.URL = server.URL()
	tolerant(private)
	d, err := New(Options{Config: private})
	if err != nil {
		t.Fatal(err)
	}
	h := listenTo(t)
	d.out.listen(h.listen)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	r := &rig{daemon: d}
	if err := r.until(ctx, safety.Held); err != nil {
		t.Fatal(err)
	}
	if err := d.receive(topics.NameSkill, []byte(`{"id":"1","name":"pick","args":["red block"]}`)); err != nil {
		t.Fatal(err)
	}
	if err := r.underWay(ctx); err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(server.URL(), "tcp://")
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if e := h.kind("1", topics.EventFailed); !strings.Contains(e.Reason, "connection to the broker was lost") {
		t.Errorf("the skill failed with %q", e.Reason)
	}
	if err := r.rest(ctx); err != nil {
		t.Fatal(err)
	}
	if health := d.health(); health.Status != topics.Degraded {
		t.Errorf("health is %s", health.Status)
	}
	if server, err = broker.StartServer(broker.ServerOptions{Listen: address, Robot: "so101"}); err != nil {
		t.Fatal(err)
	}
	for !d.links.main.Up() {
		if err := d.clock.Wait(ctx, d.clock.Now().Add(10*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	if s := d.loop.Status(); s.Command.Velocity != (robot.Joints{}) {
		t.Error("the robot moves by itself after the broker came back")
	}
}

func TestACameraThatGoesIsReported(t *testing.T) {
	r, h := start(t, nil)
	for len(r.daemon.sensors.Frames(r.daemon.clock.Now())) == 0 {
		if err := r.daemon.clock.Wait(t.Context(), r.daemon.clock.Now().Add(10*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	r.daemon.sim.server.Close()
	h.event("a camera that is lost", func(e topics.Event) bool {
		return e.Kind == topics.EventWarning && strings.Contains(e.Reason, "camera ")
	})
	if health := r.daemon.health(); health.Status != topics.Degraded || !strings.Contains(strings.Join(health.Reasons, " "), "camera ") {
		t.Errorf("health is %s: %v", health.Status, health.Reasons)
	}
	if err := r.until(t.Context(), safety.Held); err != nil {
		t.Error(err)
	}
}
