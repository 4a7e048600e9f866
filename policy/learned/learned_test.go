package learned

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/fusion/vla"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/robot/hand"
	"github.com/kuai-robot/kuai/sim/world/so101"
)

// fake is a network that says what it is told to.
type fake struct {
	moves []hand.Hand
	done  float64
	err   error
	asked int
	last  vla.Input
	// judge are can and holds, where there is one.
	judge *[2]float64
}

func (f *fake) Predict(_ context.Context, in *vla.Input) (*vla.Output, error) {
	f.asked, f.last = f.asked+1, *in
	out := &vla.Output{Moves: f.moves, Done: make([]float64, len(f.moves))}
	for i := range out.Done {
		out.Done[i] = f.done
	}
	if f.judge != nil {
		out.Judged, out.Can, out.Holds = true, f.judge[0], f.judge[1]
		out.Sure = [2][]float32{{0.1, 0.8, 0.1, 0}, {0, 0, 0, 1}}
	}
	return out, f.err
}

// along gives a chunk that goes v a step.
func along(v robot.Vec3) []hand.Hand {
	var moves []hand.Hand
	for k := range 12 {
		p := v.Scale(float64(k + 1))
		moves = append(moves, hand.Hand{X: p[0], Y: p[1], Z: p[2], Grip: 0.02})
	}
	return moves
}

// stage is a robot in front of a runner.
type stage struct {
	t      *testing.T
	runner *Runner
	fake   *fake
	o      robot.Observation
	tick   int
}

var pick = robot.Skill{Name: "pick", Args: []string{"red block"}}

func newStage(t *testing.T, change func(*Config)) *stage {
	t.Helper()
	d := so101.Description()
	s := &stage{t: t, fake: &fake{moves: along(robot.Vec3{0.01, 0, 0})}}
	c := Config{
		Description: d, Predictor: s.fake, Phrase: func(s robot.Skill) string { return s.Name + " it up" },
		Knows: func(s robot.Skill) bool { return s.Name == "pick" },
	}
	if change != nil {
		change(&c)
	}
	var err error
	if s.runner, err = New(c); err != nil {
		t.Fatal(err)
	}
	s.o.State.Position = d.Home()
	s.look(0)
	return s
}

// look moves the clock on and takes new pictures.
func (s *stage) look(after time.Duration) {
	s.tick++
	s.o.At = s.o.At.Add(after)
	if s.o.At == 0 {
		s.o.At = robot.Time(time.Second)
	}
	s.o.State.At = s.o.At
	s.o.Frames = nil
	for _, name := range []string{"front", "wrist"} {
		f := robot.Frame{Camera: name, At: s.o.At, Width: 16, Height: 12, Pixels: make([]byte, 3*16*12)}
		for i := range f.Pixels {
			f.Pixels[i] = byte(37*i + 11*s.tick + i*i%97)
		}
		s.o.Frames = append(s.o.Frames, f)
	}
}

func (s *stage) begin() {
	s.t.Helper()
	if err := s.runner.Begin(pick, &s.o); err != nil {
		s.t.Fatal(err)
	}
}

func TestFollowsThePolicy(t *testing.T) {
	s := newStage(t, func(c *Config) { c.Bounds.Execute = 2 })
	s.begin()
	c, outcome := s.runner.Next(&s.o)
	if outcome.Status != robot.Running || len(c.Actions) < 12 || c.Step != Step || c.ObservedAt != s.o.At {
		t.Fatalf("outcome %v, chunk of %d actions from %v", outcome, len(c.Actions), c.Start)
	}
	arm, _ := hand.New(so101.Description())
	before, at, last := arm.Hand(&c.Actions[0]), arm.Hand(&c.Actions[1]), arm.Hand(&c.Actions[len(c.Actions)-1])
	if c.Start != s.o.At.Add(-Step) || before.Position().Sub(at.Position()).Norm() > 1e-3 {
		t.Errorf("the chunk does not begin at rest a step ago: %v, %v", c.Start, before)
	}
	if moved := last.X - at.X; math.Abs(moved-0.12) > 0.01 {
		t.Errorf("the hand goes %.3f m, the policy said 0.12", moved)
	}
	if s.fake.last.Phrase != "pick it up" || s.fake.last.Front.Camera != "front" || s.fake.last.Wrist.Camera != "wrist" {
		t.Errorf("the policy was asked with %+v", s.fake.last)
	}
	// It is asked again only when the steps are done.
	s.look(Step)
	s.runner.Next(&s.o)
	if s.fake.asked != 1 {
		t.Errorf("asked %d times after one step of 2", s.fake.asked)
	}
	s.look(Step)
	s.runner.Next(&s.o)
	if s.fake.asked != 2 {
		t.Errorf("asked %d times", s.fake.asked)
	}
}

func TestOverWhenThePolicySaysSoTwice(t *testing.T) {
	s := newStage(t, nil)
	s.begin()
	s.fake.done = 0.9
	for n := range 8 {
		_, outcome := s.runner.Next(&s.o)
		if outcome.Status == robot.Succeeded {
			if s.fake.asked != 2 {
				t.Errorf("over after %d looks", s.fake.asked)
			}
			return
		}
		if n == 7 {
			t.Fatalf("not over: %v", outcome)
		}
		s.look(Step)
	}
}

func TestGivesUpInTime(t *testing.T) {
	s := newStage(t, nil)
	s.begin()
	for range 150 {
		if _, outcome := s.runner.Next(&s.o); outcome.Status == robot.Failed {
			if !strings.Contains(outcome.Reason, "not over") {
				t.Error(outcome.Reason)
			}
			return
		}
		s.look(Step)
	}
	t.Error("it never gives up")
}

// Whatever a camera does, the arm holds where it is, and the reason names it.
func TestCameras(t *testing.T) {
	frame := func(s *stage) *robot.Frame { return &s.o.Frames[0] }
	for want, spoil := range map[string]func(s *stage){
		"gives no picture": func(s *stage) { s.o.Frames = s.o.Frames[1:] },
		"s old":            func(s *stage) { frame(s).At = s.o.At.Add(-time.Second) },
		"is black":         func(s *stage) { clear(frame(s).Pixels) },
		"can be seen": func(s *stage) {
			for i := range frame(s).Pixels {
				frame(s).Pixels[i] = 120
			}
		},
		"is damaged": func(s *stage) { frame(s).Pixels = frame(s).Pixels[2:] },
		"frozen": func(s *stage) {
			for i := range frame(s).Pixels {
				frame(s).Pixels[i] = byte(37*i + i*i%97)
			}
			s.o.State.Position[1] += 0.02 * float64(s.tick)
		},
	} {
		s := newStage(t, nil)
		s.begin()
		s.runner.Next(&s.o)
		asked := s.fake.asked
		outcome := robot.Outcome{}
		var c robot.Chunk
		for range 60 {
			s.look(Step)
			spoil(s)
			if c, outcome = s.runner.Next(&s.o); outcome.Status != robot.Running {
				break
			}
		}
		if outcome.Status != robot.Failed || !strings.Contains(outcome.Reason, want) || !strings.Contains(outcome.Reason, "front") {
			t.Errorf("want a failure about %q, got %v %q", want, outcome.Status, outcome.Reason)
		}
		if s.runner.Stats().Held != 1 {
			t.Errorf("%s: held %d times", want, s.runner.Stats().Held)
		}
		if want != "frozen" && s.fake.asked != asked {
			t.Errorf("%s: the policy was asked about such a picture", want)
		}
		if n := len(c.Actions); n > 1 && c.Actions[0] != c.Actions[n-1] {
			// Held in place: nothing but the way to the place it was told.
			arm, _ := hand.New(so101.Description())
			a, b := arm.Hand(&c.Actions[0]), arm.Hand(&c.Actions[n-1])
			if d := a.Position().Sub(b.Position()).Norm(); d > 1e-3 {
				t.Errorf("%s: the hand still moves %.4f m", want, d)
			}
		}
	}
}

// A picture that comes back goes on with the skill.
func TestGoesOnWhenTheCameraIsBack(t *testing.T) {
	s := newStage(t, nil)
	s.begin()
	s.runner.Next(&s.o)
	s.look(Step)
	s.o.Frames = nil
	if _, outcome := s.runner.Next(&s.o); outcome.Status != robot.Running {
		t.Fatal(outcome)
	}
	s.look(Step)
	if _, outcome := s.runner.Next(&s.o); outcome.Status != robot.Running || s.fake.asked != 2 {
		t.Errorf("%v, asked %d times", outcome, s.fake.asked)
	}
}

func TestBadPicturesBeforeTheBegin(t *testing.T) {
	s := newStage(t, nil)
	s.o.Frames = nil
	if err := s.runner.Begin(pick, &s.o); err == nil || !strings.Contains(err.Error(), "no picture") {
		t.Errorf("begins without pictures: %v", err)
	}
	if _, outcome := s.runner.Next(&s.o); outcome.Status != robot.Failed {
		t.Error("and moves")
	}
}

// A camera that is another one's, or upside down, is noticed before the arm moves.
func TestUnlikeTheTraining(t *testing.T) {
	s := newStage(t, func(c *Config) {
		c.Unlike = func(f *robot.Frame) float64 {
			if f.Camera == "wrist" {
				return 2
			}
			return 0
		}
	})
	if err := s.runner.Begin(pick, &s.o); err == nil || !strings.Contains(err.Error(), "wrist camera is unlike") {
		t.Errorf("begins: %v", err)
	}
}

func TestPolicyThatFails(t *testing.T) {
	s := newStage(t, nil)
	s.begin()
	s.fake.err = errors.New("action 3 of step 0 is NaN")
	if c, outcome := s.runner.Next(&s.o); outcome.Status != robot.Failed || len(c.Actions) != 0 {
		t.Errorf("%v with a chunk of %d actions", outcome, len(c.Actions))
	}
}

// other is a runner for what was never taught.
type other struct{ begun string }

func (o *other) Begin(s robot.Skill, _ *robot.Observation) error { o.begun = s.Name; return nil }
func (o *other) Next(*robot.Observation) (robot.Chunk, robot.Outcome) {
	return robot.Chunk{}, robot.Outcome{Status: robot.Succeeded}
}

func TestUntaughtSkills(t *testing.T) {
	home := robot.Skill{Name: "home"}
	s := newStage(t, nil)
	if err := s.runner.Begin(home, &s.o); err == nil || !strings.Contains(err.Error(), "never taught") {
		t.Errorf("begins what it was never taught: %v", err)
	}
	o := &other{}
	s = newStage(t, func(c *Config) { c.Other = o })
	if err := s.runner.Begin(home, &s.o); err != nil || o.begun != "home" {
		t.Errorf("%v, the other began %q", err, o.begun)
	}
	if _, outcome := s.runner.Next(&s.o); outcome.Status != robot.Succeeded || s.fake.asked != 0 {
		t.Error("the other did not run it")
	}
}

// A network gone mad moves the hand no further than a hand goes, and not into the
// table.
func TestMovesAreBounded(t *testing.T) {
	s := newStage(t, nil)
	s.fake.moves = along(robot.Vec3{5, -5, -5})
	s.begin()
	s.runner.Next(&s.o)
	for k, h := range s.runner.course.hands[1:] {
		from := s.runner.course.hands[k]
		if d := h.Position().Sub(from.Position()).Norm(); d > maxMoveM+0.12 || h.Z < lowestM {
			t.Errorf("step %d goes %.3f m to a height of %.3f", k, d, h.Z)
		}
	}
}

// At a seam the new chunk agrees with the old one for the steps that are fixed;
// without real-time chunking it does not.
func TestSeams(t *testing.T) {
	jump := func(realTime bool) Stats {
		s := newStage(t, func(c *Config) { c.Bounds.Execute, c.Bounds.RealTime = 2, realTime })
		s.begin()
		for n := range 12 {
			s.fake.moves = along(robot.Vec3{0.01, 0.008 * float64(n%3-1), 0.004})
			c, _ := s.runner.Next(&s.o)
			s.o.State.Position = c.Actions[min(2, len(c.Actions)-1)]
			s.look(Step)
		}
		return s.runner.Stats()
	}
	smooth, abrupt := jump(true), jump(false)
	if smooth.Seams < 4 || smooth.Seams != abrupt.Seams {
		t.Fatalf("%d and %d seams", smooth.Seams, abrupt.Seams)
	}
	if smooth.WorstJump > 1e-6 || smooth.WorstTurn > 1e-4 {
		t.Errorf("real-time chunking jumps by %g rad and %g rad/s", smooth.WorstJump, smooth.WorstTurn)
	}
	if abrupt.WorstJump < 1e-3 || abrupt.WorstJump != abrupt.WorstJumpAbrupt {
		t.Errorf("without it the jump is %g, or %g", abrupt.WorstJump, abrupt.WorstJumpAbrupt)
	}
}

func TestNewChecks(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("a runner of nothing")
	}
	d := so101.Description()
	d.Gripper = ""
	_, err := New(Config{Description: d, Predictor: &fake{}, Knows: func(robot.Skill) bool { return true }, Phrase: robot.Skill.String})
	if err == nil || !strings.Contains(err.Error(), "gripper") {
		t.Errorf("a robot without a hand: %v", err)
	}
}
