package agent_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/policy/saycan"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
)

// bench is a robot at a table without physics: a clock in lockstep, a runner
// that moves an object after three chunks, and a planner that reads a script.
type bench struct {
	now     robot.Time
	scene   robot.Scene
	chunks  []robot.Chunk
	holds   int
	halted  string
	updates []agent.Update
	// script is what the planner chooses, step by step; asked is what it was asked.
	script []string
	asked  []saycan.Request
	think  error
	// running skill, its calls of Next, and what goes wrong.
	skill     robot.Skill
	calls     int
	fumbles   int            // so many skills end without effect
	begin     error          // what Begin says
	outcome   robot.Outcome  // how a skill ends
	meanwhile func(call int) // called at each Next
	lag       time.Duration  // how old each scene is
	endless   bool           // Next never ends
}

func newBench(script ...string) *bench {
	b := &bench{now: 1, script: script, outcome: robot.Outcome{Status: robot.Succeeded}}
	for _, name := range []string{"red block", "green block", "blue bowl"} {
		colour, kind, _ := strings.Cut(name, " ")
		b.scene.Objects = append(b.scene.Objects, robot.Object{Name: name, Kind: kind, Colour: colour, On: "table"})
	}
	return b
}

func (b *bench) Now() robot.Time  { return b.now }
func (b *bench) Epoch() time.Time { return time.Unix(0, 0) }
func (b *bench) Wait(ctx context.Context, t robot.Time) error {
	b.now = max(b.now, t)
	return ctx.Err()
}

func (b *bench) Observe() robot.Observation {
	scene := robot.Scene{At: b.now.Add(-b.lag), By: "test", Objects: slices.Clone(b.scene.Objects)}
	return robot.Observation{At: b.now, State: robot.State{At: b.now}, Scene: &scene}
}
func (b *bench) Act(c robot.Chunk)      { b.chunks = append(b.chunks, c) }
func (b *bench) Hold(robot.Source)      { b.holds++ }
func (b *bench) Halted() (string, bool) { return b.halted, b.halted != "" }

func (b *bench) Begin(s robot.Skill, _ *robot.Observation) error {
	b.skill, b.calls = s, 0
	return b.begin
}

func (b *bench) Next(o *robot.Observation) (robot.Chunk, robot.Outcome) {
	b.calls++
	if b.meanwhile != nil {
		b.meanwhile(b.calls)
	}
	if b.calls <= 3 || b.endless {
		return robot.Chunk{Start: o.At, Step: time.Millisecond, Actions: make([]robot.Joints, 2)}, robot.Outcome{}
	}
	switch {
	case b.outcome.Status == robot.Failed:
	case b.fumbles > 0:
		b.fumbles--
	default:
		b.effect()
	}
	return robot.Chunk{}, b.outcome
}

func (b *bench) object(name string) *robot.Object {
	o, ok := b.scene.Find(name)
	if !ok {
		panic("no object " + name)
	}
	return o
}

func (b *bench) effect() {
	switch b.skill.Name {
	case "pick":
		o := b.object(b.skill.Args[0])
		o.Held, o.On, o.In = true, "", ""
	case "place_in":
		o := b.object(b.skill.Args[0])
		o.Held, o.In = false, b.skill.Args[1]
	}
}

func (b *bench) Decide(_ context.Context, o *robot.Observation, r saycan.Request) (saycan.Decision, error) {
	b.asked = append(b.asked, r)
	if b.think != nil {
		return saycan.Decision{}, b.think
	}
	call := b.script[min(len(b.asked), len(b.script))-1]
	options, err := skill.Tabletop().Options(o.Scene)
	if err != nil {
		return saycan.Decision{}, err
	}
	for _, option := range options {
		if option.Skill.String() == call && !slices.ContainsFunc(r.Barred, option.Skill.Equal) {
			return saycan.Decision{Chosen: option, Why: "the script says so"}, nil
		}
	}
	return saycan.Decision{}, saycan.ErrNoOption
}

func (b *bench) agent(t *testing.T, bounds agent.Bounds) *agent.Agent {
	t.Helper()
	a, err := agent.New(agent.Config{
		Catalogue: skill.Tabletop(), Planner: b, Runner: b, Body: b, Brake: b, Clock: b, Bounds: bounds,
		Report: func(u agent.Update) { b.updates = append(b.updates, u) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (b *bench) run(t *testing.T) agent.Plan {
	t.Helper()
	return b.agent(t, agent.Bounds{}).Run(context.Background(), "1", "put the red block in the blue bowl")
}

func (b *bench) kinds() string {
	var kinds []string
	for _, u := range b.updates {
		kinds = append(kinds, string(u.Kind))
	}
	return strings.Join(kinds, " ")
}

func steps(p agent.Plan) string {
	var s []string
	for i := range p.Steps {
		s = append(s, p.Steps[i].Skill.String()+" "+p.Steps[i].Outcome.Status.String())
	}
	return strings.Join(s, "; ")
}

const (
	pickRed  = "pick(red block)"
	placeRed = "place_in(red block, blue bowl)"
)

func TestRunFollowsThePlan(t *testing.T) {
	b := newBench(pickRed, placeRed, "done()")
	p := b.run(t)
	if p.Status != robot.Succeeded || p.Reason != "" || p.ID != "1" {
		t.Fatalf("%+v", p)
	}
	if got, want := steps(p), pickRed+" succeeded; "+placeRed+" succeeded; done() succeeded"; got != want {
		t.Errorf("steps %s\nwant %s", got, want)
	}
	if got, want := b.kinds(), "accepted step_started step_succeeded step_started step_succeeded step_started step_succeeded succeeded"; got != want {
		t.Errorf("updates %s\nwant %s", got, want)
	}
	if got := fmt.Sprint(b.asked[2].Done); got != "[pick up the red block place the red block in the blue bowl]" {
		t.Errorf("the planner was told %s", got)
	}
	if b.asked[0].Before != nil || b.asked[1].Before.Objects[0].On != "table" || !b.asked[2].Before.Objects[0].Held {
		t.Error("the planner was not told the scenes before each step")
	}
	if b.asked[0].Start != nil || b.asked[2].Start != b.asked[1].Before {
		t.Error("the planner was not told the scene that the plan began from")
	}
	if len(b.chunks) != 6 || b.holds < 2 {
		t.Fatalf("%d chunks, %d holds", len(b.chunks), b.holds)
	}
	for i, c := range b.chunks {
		if c.Source != robot.SourcePolicy || c.ID != uint64(i+1) {
			t.Errorf("chunk %d: source %s, id %d", i, c.Source, c.ID)
		}
	}
	s := p.Steps[0]
	if s.Moved == 0 || s.Moved > s.Ended || s.Seconds(0) < 0.3 || p.Took() < 600*time.Millisecond {
		t.Errorf("times of step 1: %+v; the plan took %v", s, p.Took())
	}
	if running := b.updates[1].Plan; running.Status != robot.Running || running.Steps[0].Outcome.Status != robot.Running {
		t.Error("an update changed after it was sent")
	}
}

func TestAFailedStepIsScoredAgain(t *testing.T) {
	b := newBench(pickRed, pickRed, placeRed, "done()")
	b.fumbles = 1
	p := b.run(t)
	if got := steps(p); got != "pick(red block) failed; pick(red block) succeeded; "+placeRed+" succeeded; done() succeeded" {
		t.Fatalf("%s: %s", got, p.Reason)
	}
	if reason := p.Steps[0].Outcome.Reason; reason != "held(red block) is not so afterwards" {
		t.Errorf("the first step failed with %q", reason)
	}
	if len(b.asked[1].Done) != 0 || len(b.asked[1].Barred) != 0 {
		t.Errorf("after a failure the planner was told %+v", b.asked[1])
	}
}

func TestGivesUp(t *testing.T) {
	for name, tc := range map[string]struct {
		script []string
		set    func(b *bench)
		bounds agent.Bounds
		cause  agent.Cause
		says   string
	}{
		"failures in a row": {[]string{pickRed}, func(b *bench) { b.fumbles = 99 }, agent.Bounds{}, agent.CauseExecution, "3 failed steps in a row, the last pick(red block)"},
		"runner fails":      {[]string{pickRed}, func(b *bench) { b.outcome = robot.Outcome{Status: robot.Failed, Reason: "slipped"} }, agent.Bounds{}, agent.CauseExecution, "slipped"},
		"cannot begin":      {[]string{pickRed}, func(b *bench) { b.begin = errors.New("out of reach") }, agent.Bounds{}, agent.CauseExecution, "out of reach"},
		"ends after failure": {[]string{pickRed, "done()"}, func(b *bench) { b.fumbles = 1 }, agent.Bounds{}, agent.CauseExecution,
			"nothing better than to stop after pick(red block) failed"},
		"steps":      {[]string{pickRed, placeRed, "done()"}, func(b *bench) {}, agent.Bounds{Steps: 2}, agent.CauseTimeout, "after 2 steps"},
		"time":       {[]string{pickRed}, func(b *bench) { b.endless = true }, agent.Bounds{Time: 2 * time.Second}, agent.CauseTimeout, "not done after 2s"},
		"step time":  {[]string{pickRed}, func(b *bench) { b.endless = true }, agent.Bounds{StepTime: time.Second}, agent.CauseExecution, "not over after 1s"},
		"planner":    {[]string{pickRed}, func(b *bench) { b.think = errors.New("model broke") }, agent.Bounds{}, agent.CausePlan, "model broke"},
		"old scene":  {[]string{pickRed}, func(b *bench) { b.lag = time.Minute }, agent.Bounds{}, agent.CauseBlind, "60.0 s old"},
		"slow scene": {[]string{pickRed}, func(b *bench) { b.meanwhile = func(int) { b.lag += 90 * time.Millisecond } }, agent.Bounds{StepTime: time.Hour}, agent.CauseBlind, "s old"},
		"stopped":    {[]string{pickRed}, func(b *bench) { b.meanwhile = func(int) { b.halted = "stop message" } }, agent.Bounds{}, agent.CauseStopped, "stop message"},
		"circle":     {[]string{"home()"}, func(b *bench) {}, agent.Bounds{}, agent.CausePlan, "no option"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(tc.script...)
			tc.set(b)
			p := b.agent(t, tc.bounds).Run(context.Background(), "1", "do something")
			if p.Status != robot.Failed || p.Cause != tc.cause || !strings.Contains(p.Reason, tc.says) {
				t.Errorf("%s, cause %q, reason %q; want failed, %q, %q", p.Status, p.Cause, p.Reason, tc.cause, tc.says)
			}
			last := b.updates[len(b.updates)-1]
			if last.Kind != agent.PlanFailed && last.Kind != agent.Refused || last.Reason != p.Reason {
				t.Errorf("the last update is %s, %q", last.Kind, last.Reason)
			}
			if b.holds == 0 {
				t.Error("the robot was not told to hold")
			}
		})
	}
}

func TestCancelEndsWithinOnePeriod(t *testing.T) {
	b := newBench(pickRed)
	b.endless = true
	ctx, cancel := context.WithCancelCause(context.Background())
	var at robot.Time
	b.meanwhile = func(call int) {
		if call == 5 {
			cancel(errors.New("replaced by instruction 2"))
			at = b.now
		}
	}
	p := b.agent(t, agent.Bounds{}).Run(ctx, "1", "pick up the red block")
	if p.Cause != agent.CauseCancelled || p.Reason != "replaced by instruction 2" {
		t.Errorf("cause %q, reason %q", p.Cause, p.Reason)
	}
	if late := p.At.Sub(at); late > 100*time.Millisecond {
		t.Errorf("it ended %v after it was cancelled", late)
	}
	if last := p.Steps[0]; last.Outcome.Status != robot.Failed {
		t.Errorf("the step is %s", last.Outcome.Status)
	}
}

func TestAChangedWorldIsScoredAgain(t *testing.T) {
	b := newBench(pickRed, pickRed, placeRed, "done()")
	b.meanwhile = func(call int) {
		if call == 2 && len(b.asked) == 1 {
			b.object("green block").On, b.object("green block").In = "", "blue bowl"
		}
	}
	p := b.run(t)
	if p.Status != robot.Succeeded || !p.Steps[0].Interrupted || p.Steps[0].Surprise != "the green block is now in the blue bowl" {
		t.Fatalf("%s (%s)\nstep 1: %+v", steps(p), p.Reason, p.Steps[0].Outcome)
	}
}

func TestANudgedNeighbourIsToldOf(t *testing.T) {
	b := newBench(pickRed, "done()")
	b.meanwhile = func(call int) { b.object("green block").Pose.Position[0] = 0.1 }
	p := b.run(t)
	if p.Status != robot.Succeeded || p.Steps[0].Surprise != "the green block has moved" || !strings.Contains(b.kinds(), "warning") {
		t.Errorf("%s, surprise %q, updates %s", steps(p), p.Steps[0].Surprise, b.kinds())
	}
}

func TestRefusals(t *testing.T) {
	b := newBench(pickRed)
	for text, says := range map[string]string{"": "no words", "take the purple block": "no purple block"} {
		p := b.agent(t, agent.Bounds{}).Run(context.Background(), "1", text)
		if p.Cause != agent.CauseGuard || !strings.Contains(p.Reason, says) || len(p.Steps) != 0 || len(b.asked) != 0 {
			t.Errorf("%q: %+v", text, p)
		}
	}
	if b.kinds() != "refused refused" {
		t.Errorf("updates %s", b.kinds())
	}
}

func TestRunSkill(t *testing.T) {
	b := newBench()
	a := b.agent(t, agent.Bounds{})
	p := a.RunSkill(context.Background(), "7", robot.Skill{Name: "pick", Args: []string{"red block"}})
	if p.Status != robot.Succeeded || steps(p) != pickRed+" succeeded" || len(b.asked) != 0 {
		t.Fatalf("%s: %s", steps(p), p.Reason)
	}
	if b.chunks[0].Source != robot.SourceSkill {
		t.Errorf("the chunk's source is %s", b.chunks[0].Source)
	}
	for _, tc := range []struct {
		skill robot.Skill
		cause agent.Cause
		says  string
	}{
		{robot.Skill{Name: "pick", Args: []string{"green block"}}, agent.CauseGuard, "empty_hand"},
		{robot.Skill{Name: "fly"}, agent.CauseGuard, "not in catalogue"},
		{robot.Skill{Name: "place_in", Args: []string{"red block", "blue bowl"}}, agent.CauseExecution, "in(red block, blue bowl) is not so"},
		{robot.Skill{Name: "done"}, agent.CauseNone, ""},
	} {
		b.fumbles = 1
		if p := a.RunSkill(context.Background(), "7", tc.skill); p.Cause != tc.cause || !strings.Contains(p.Reason, tc.says) {
			t.Errorf("%s: cause %q, reason %q; want %q, %q", tc.skill, p.Cause, p.Reason, tc.cause, tc.says)
		}
	}
}

func TestNewNeedsItsParts(t *testing.T) {
	if _, err := agent.New(agent.Config{}); err == nil {
		t.Error("an empty configuration was accepted")
	}
	b := newBench()
	a, err := agent.New(agent.Config{Catalogue: skill.Tabletop(), Runner: b, Body: b, Brake: b, Clock: b})
	if err != nil {
		t.Fatal(err)
	}
	if p := a.Run(context.Background(), "1", "pick up the red block"); p.Cause != agent.CausePlan || !strings.Contains(p.Reason, "no language model") {
		t.Errorf("without a planner: %+v", p)
	}
}
