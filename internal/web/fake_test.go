package web_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/internal/web"
	"github.com/kuai-robot/kuai/robot"
)

var serve = flag.String("serve", "", "HOST:PORT: show the page over a made-up robot, to work on it")

// TestServe is no test: with -serve it shows the page until it is interrupted.
//
//	go test ./internal/web -run TestServe -timeout 0 -serve 127.0.0.1:8090
func TestServe(t *testing.T) {
	if *serve == "" {
		t.Skip("only with -serve")
	}
	f := newFake(robot.NewSystemClock())
	s, err := web.New(f.options(*serve))
	if err != nil {
		t.Fatal(err)
	}
	f.server = s
	fmt.Println(s.URL())
	go f.run(t.Context())
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// fake is a robot that does nothing but look busy.
type fake struct {
	clock  robot.Clock
	server *web.Server

	mu     sync.Mutex
	mode   string
	reason string
	plan   topics.Plan
	began  robot.Time
	health topics.HealthStatus

	position []float64
	// velocity is what somebody steers with, until steered.
	velocity []float64
	steered  robot.Time
	// heard is what was said while the talk button is held.
	heard []int16
}

var fakeSteps = []string{"pick up the red block", "place the red block in the blue bowl", "done"}

func newFake(clock robot.Clock) *fake {
	f := &fake{clock: clock, mode: "held", health: topics.Online}
	for i := range fakeArm().Joints {
		f.position = append(f.position, 0.3*float64(i)-0.7)
	}
	return f
}

func fakeArm() *robot.Description {
	d := &robot.Description{Name: "so101", Gripper: "gripper"}
	for _, name := range []string{"shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"} {
		d.Joints = append(d.Joints, robot.Joint{Name: name, Kind: robot.Revolute,
			Limits: robot.Limits{MinPosition: -1.9, MaxPosition: 1.9, MaxVelocity: 2, MaxEffort: 2, MaxTemperature: 70}})
	}
	return d
}

func (f *fake) options(listen string) web.Options {
	return web.Options{
		Listen: listen, Robot: fakeArm(), Name: "so101", Version: "test", Cameras: []string{"front", "wrist"},
		Examples: []string{"put the red block in the blue bowl", "stack the green block on the yellow block", "clear the table"},
		Steering: f, Talk: f.talk, Clock: f.clock, Log: slog.New(slog.DiscardHandler),
	}
}

// Message implements web.Steering.
func (f *fake) Message(name string, payload []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch name {
	case topics.NameInstruction:
		m, err := topics.DecodeInstruction(payload)
		switch {
		case err != nil:
			f.event(topics.Event{Kind: topics.EventRefused, Topic: name, Reason: err.Error()})
		case f.mode == "stopped":
			f.event(topics.Event{Kind: topics.EventRefused, ID: m.ID, Topic: name, Reason: "the robot is stopped (reset first)"})
		default:
			f.event(topics.Event{Kind: topics.EventAccepted, ID: m.ID, Topic: name})
			f.began = f.clock.Now()
			f.plan = topics.Plan{ID: m.ID, Instruction: m.Text, Status: topics.PlanRunning, Runner: "scripted", Affordance: "scripted"}
			f.mode = "moving"
			f.publish(topics.NamePlan, f.plan)
		}
	case topics.NameTeleop:
		m, err := topics.DecodeTeleop(payload, len(f.position))
		if err != nil {
			f.event(topics.Event{Kind: topics.EventRefused, Topic: name, Reason: err.Error()})
			return
		}
		f.velocity, f.steered = m.Velocity, f.clock.Now().Add(200*time.Millisecond)
	case topics.NameReset:
		f.mode, f.reason = "held", ""
		f.event(topics.Event{Kind: topics.EventReset})
		f.state()
	}
}

// talk tells what came out of the browser's microphone: for how long, and which
// part of its energy is at 440 Hz.
func (f *fake) talk(s web.Speech) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.heard = append(f.heard, s.PCM...)
	if !s.End {
		return
	}
	var energy, re, im float64
	for i, sample := range f.heard {
		x, turn := float64(sample)/math.MaxInt16, 2*math.Pi*440*float64(i)/web.TalkRate
		energy, re, im = energy+x*x, re+x*math.Cos(turn), im+x*math.Sin(turn)
	}
	n := float64(len(f.heard))
	said, err := json.Marshal(topics.Said{At: f.at(), Who: "person", Kind: topics.SaidHeard, Text: "a tone"})
	if err != nil {
		panic(err)
	}
	f.server.Publish(topics.NameConversation, said)
	f.event(topics.Event{Kind: topics.EventWarning, Reason: fmt.Sprintf("heard %.1f s, loud %.2f, pure %.3f, late %.0f ms, cut %v",
		n/web.TalkRate, math.Sqrt(energy/n), 2*(re*re+im*im)/n/energy, 1e3*f.clock.Now().Sub(s.At).Seconds(), s.Cut)})
	f.heard = nil
}

// Stop implements web.Steering.
func (f *fake) Stop(reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mode == "stopped" {
		return
	}
	f.mode, f.reason = "stopped", reason
	f.event(topics.Event{Kind: topics.EventStopped, Reason: reason})
	if f.plan.Status == topics.PlanRunning {
		f.end(topics.PlanFailed, "the robot was stopped")
	}
	f.state()
}

func (f *fake) event(e topics.Event) {
	e.At = f.at()
	f.publish(topics.NameEvent, e)
}

func (f *fake) at() float64 { return float64(f.clock.Epoch().UnixNano())/1e9 + f.clock.Now().Seconds() }

func (f *fake) publish(name string, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	f.server.Publish(name, data)
}

func (f *fake) state() {
	s := topics.State{At: f.at(), Mode: f.mode, Reason: f.reason}
	switch {
	case f.mode == "moving":
		s.Source = "policy"
		s.Marks = []topics.Mark{{Camera: "front", Name: "red block", X: 60. / 320, Y: 150. / 240, Size: 0.12}}
	case f.mode == "held" && f.clock.Now() < f.steered:
		s.Mode, s.Source = "moving", "teleop"
	}
	for i, j := range fakeArm().Joints {
		swing := 0.0
		if f.mode == "moving" {
			swing = 0.4 * math.Sin(f.clock.Now().Seconds()+float64(i))
		}
		s.Joints = append(s.Joints, topics.JointState{Name: j.Name, Position: f.position[i] + swing, Effort: 0.1 * float64(i), Temperature: 31 + float64(i)})
	}
	f.publish(topics.NameState, s)
}

// turn moves the joints as somebody steers.
func (f *fake) turn(period time.Duration) {
	if f.mode != "held" || f.clock.Now() >= f.steered {
		return
	}
	for i, v := range f.velocity {
		f.position[i] = max(-1.9, min(1.9, f.position[i]+v*period.Seconds()))
	}
}

var fakeStages = []topics.StageHealth{
	{Name: "capture", MS: 38, P50MS: 41, P99MS: 74}, {Name: "score", MS: 212, P50MS: 207, P99MS: 290},
	{Name: "chunk", MS: 1.4, P50MS: 1.2, P99MS: 3.1}, {Name: "command", MS: 6.2, P50MS: 5.4, P99MS: 10.3},
}

// run moves the story along, 20 times a second.
func (f *fake) run(ctx context.Context) {
	const period = 50 * time.Millisecond
	for tick := 0; f.clock.Wait(ctx, f.clock.Now().Add(period)) == nil; tick++ {
		f.mu.Lock()
		f.turn(period)
		f.state()
		if f.plan.Status == topics.PlanRunning {
			f.advance()
		}
		if tick%20 == 0 {
			f.publish(topics.NameHealth, topics.Health{At: f.at(), Status: f.health, Robot: "so101", Version: "test", Mode: f.mode, Driver: "sim",
				Runner: "scripted", Model: "smollm2-135m-instruct", Loop: &topics.LoopHealth{RateHz: 100, JitterP99MS: 0.21}, Stages: fakeStages})
		}
		f.mu.Unlock()
		if tick%2 == 1 {
			continue
		}
		for i, camera := range []string{"front", "wrist"} {
			f.server.Show(fakeFrame(camera, f.clock.Now(), uint64(tick), i))
		}
	}
}

func (f *fake) end(status topics.PlanStatus, reason string) {
	f.plan.Status, f.plan.Reason, f.plan.Heat = status, reason, nil
	if n := len(f.plan.History); n > 0 && f.plan.History[n-1].Outcome == "running" {
		f.plan.History[n-1].Outcome = string(status)
		f.plan.History[n-1].Reason = reason
	}
	f.publish(topics.NamePlan, f.plan)
}

// advance gives every step two and a half seconds.
func (f *fake) advance() {
	f.plan.Seconds = f.clock.Now().Sub(f.began).Seconds()
	const each = 2.5
	number := int(f.plan.Seconds/each) + 1
	if n := len(f.plan.History); n > 0 {
		f.plan.History[n-1].Seconds = f.plan.Seconds - each*float64(n-1)
	}
	if number > len(f.plan.History) {
		if n := len(f.plan.History); n > 0 {
			f.plan.History[n-1].Outcome = "succeeded"
			f.event(topics.Event{Kind: topics.EventStepSucceeded, ID: f.plan.ID, Step: n})
		}
		if number > len(fakeSteps) {
			f.event(topics.Event{Kind: topics.EventSucceeded, ID: f.plan.ID})
			f.end(topics.PlanSucceeded, "")
			f.mode = "held"
			return
		}
		f.plan.Step = number
		f.plan.History = append(f.plan.History, fakeStep(number))
		f.plan.Heat = []topics.Heat{fakeHeat()}
		f.event(topics.Event{Kind: topics.EventStepStarted, ID: f.plan.ID, Step: number, Skill: fakeStep(number).Skill})
	}
	f.publish(topics.NamePlan, f.plan)
}

// fakeHeat is warm around the red block.
func fakeHeat() topics.Heat {
	h := topics.Heat{Camera: "front", Columns: 16, Rows: 12}
	for i := range h.Columns * h.Rows {
		x, y := float64(i%h.Columns)-3, float64(i/h.Columns)-7.5
		h.Cells = append(h.Cells, int(100*math.Exp(-(x*x+y*y)/4)))
	}
	return h
}

func fakeStep(number int) topics.Step {
	phrase := fakeSteps[number-1]
	s := topics.Step{Number: number, Skill: strings.ReplaceAll(phrase, " ", "_") + "()", Phrase: phrase, Outcome: "running", ScoreMS: 212, Visited: 47, Nodes: 230}
	others := []string{phrase, "pick up the green block", "place the red block next to the blue bowl", "push the yellow block to the left", "move the arm home"}
	for i, other := range others {
		skill := s.Skill
		if i > 0 {
			skill = fmt.Sprint("other", i, "()")
		}
		say, can := 0.034/math.Pow(3.1, float64(i)), []float64{0.97, 0.95, 0.4, 0.05, 1}[i]
		s.Candidates = append(s.Candidates, topics.Candidate{Skill: skill, Phrase: other, Say: say, Can: can, Product: say * can})
	}
	return s
}

// fakeFrame draws a table with blocks and something that moves.
func fakeFrame(camera string, at robot.Time, seq uint64, shift int) robot.Frame {
	const width, height = 320, 240
	frame := robot.Frame{Camera: camera, At: at, Seq: seq, Width: width, Height: height, Pixels: make([]byte, 3*width*height)}
	hand := 160 + 90*math.Sin(at.Seconds())
	for y := range height {
		for x := range width {
			r, g, b := 150-y/4, 160-y/4, 172-y/4
			if y > 90 {
				r, g, b = 196-y/6, 170-y/6, 134-y/6
			}
			for i, colour := range [][3]int{{196, 48, 40}, {46, 140, 70}, {44, 92, 190}, {222, 180, 50}} {
				if cx, cy := 60+65*i+20*shift, 150+20*(i%2); abs(x-cx) < 14 && abs(y-cy) < 14 {
					r, g, b = colour[0], colour[1], colour[2]
				}
			}
			if math.Abs(float64(x)-hand-0.3*float64(y)) < 9 && y < 140 {
				r, g, b = 40, 44, 48
			}
			o := 3 * (y*width + x)
			frame.Pixels[o], frame.Pixels[o+1], frame.Pixels[o+2] = byte(r), byte(g), byte(b)
		}
	}
	return frame
}

func abs(v int) int { return max(v, -v) }
