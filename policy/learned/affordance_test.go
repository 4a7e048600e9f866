package learned

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world/so101"
)

// certain is a Chance that always says the same.
type certain float64

func (c certain) Can(*robot.Observation, robot.Skill) float64 { return float64(c) }

func newAffordance(t *testing.T, s *stage, other Chance) *Affordance {
	t.Helper()
	a, err := NewAffordance(Config{
		Description: so101.Description(), Predictor: s.fake, Phrase: robot.Skill.String,
		Knows: func(s robot.Skill) bool { return s.Name != "home" },
	}, other, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAffordance(t *testing.T) {
	s := newStage(t, nil)
	s.fake.judge = &[2]float64{0.7, 0.1}
	a := newAffordance(t, s, certain(0.4))
	put := robot.Skill{Name: "place_in", Args: []string{"red block", "blue bowl"}}
	if can := a.Can(&s.o, put); can != 0.7 {
		t.Errorf("can %g, the judge says 0.7", can)
	}
	if a.Can(&s.o, put); s.fake.asked != 1 {
		t.Errorf("asked %d times about one picture", s.fake.asked)
	}
	if s.fake.last.Phrase != put.String() || s.fake.last.Front == nil {
		t.Errorf("asked with %+v", s.fake.last)
	}
	heat := a.Heat(put)
	if len(heat) != 1 || heat[0].Camera != "front" || heat[0].Rows != 2 || heat[0].Columns != 2 || heat[0].At != s.o.At {
		t.Fatalf("heat %+v", heat)
	}
	for i, want := range []float64{0.0875, 0.7, 0.0875, 0.7} {
		if math.Abs(float64(heat[0].Values[i])-want) > 1e-6 {
			t.Errorf("cell %d is %g, want %g", i, heat[0].Values[i], want)
		}
	}
	if a.Heat(pick) != nil {
		t.Error("there is heat of a skill that was not judged")
	}
	if can := a.Can(&s.o, robot.Skill{Name: "home"}); can != 0.4 {
		t.Errorf("what was never taught has %g, not the other's 0.4", can)
	}
	s.fake.judge[0] = 0.2
	s.look(100 * time.Millisecond)
	if can := a.Can(&s.o, put); can != 0.2 {
		t.Errorf("can %g in the next picture, the judge says 0.2", can)
	}
	s.fake.err = errors.New("broken")
	if can := a.Can(&s.o, pick); can != 0 {
		t.Errorf("a network that fails gives %g", can)
	}
	s.fake.err, s.fake.judge = nil, nil
	s.look(100 * time.Millisecond)
	if can := a.Can(&s.o, pick); can != 0 {
		t.Errorf("without a judge there is %g", can)
	}
}

// Where nothing can be seen the runner is to be chosen: it says why it holds.
func TestAffordanceWithoutPictures(t *testing.T) {
	s := newStage(t, nil)
	s.fake.judge = &[2]float64{0.7, 0.1}
	a, sure := newAffordance(t, s, certain(0.4)), newAffordance(t, s, nil)
	for name, spoil := range map[string]func(){
		"missing": func() { s.o.Frames = s.o.Frames[:1] },
		"black":   func() { clear(s.o.Frames[0].Pixels) },
		"old":     func() { s.o.At = s.o.At.Add(5 * time.Second) },
		"damaged": func() { s.o.Frames[1].Pixels = s.o.Frames[1].Pixels[:7] },
	} {
		s.look(100 * time.Millisecond)
		spoil()
		if x, y := a.Can(&s.o, pick), sure.Can(&s.o, pick); x != 0.4 || y != 1 {
			t.Errorf("%s: can %g and %g", name, x, y)
		}
	}
	if s.fake.asked != 0 {
		t.Errorf("the network was asked %d times", s.fake.asked)
	}
	if _, err := NewAffordance(Config{}, nil, 2, 2); err == nil {
		t.Error("an affordance of nothing is made")
	}
}

// play steps until the skill is over, or so many times.
func (s *stage) play(most int) (outcome robot.Outcome, steps int) {
	for ; outcome.Status == robot.Running && steps < most; steps++ {
		_, outcome = s.runner.Next(&s.o)
		s.look(Step)
	}
	return outcome, steps
}

// A motion that is over without what it is for has failed, in words.
func TestSeesThatItDidNotWork(t *testing.T) {
	for holds, want := range map[float64]robot.Status{0.9: robot.Succeeded, 0.05: robot.Failed} {
		s := newStage(t, nil)
		s.fake.judge, s.fake.done = &[2]float64{0.9, holds}, 1
		s.begin()
		outcome, steps := s.play(40)
		if outcome.Status != want || want == robot.Failed && !strings.Contains(outcome.Reason, "5 % sure") {
			t.Errorf("holds %g: %v after %d steps: %s", holds, outcome.Status, steps, outcome.Reason)
		}
	}
	// It may take a moment to show.
	s := newStage(t, nil)
	s.fake.judge, s.fake.done = &[2]float64{0.9, 0.05}, 1
	s.begin()
	var outcome robot.Outcome
	for steps := 0; outcome.Status == robot.Running && steps < 40; steps++ {
		if s.fake.asked == 3 {
			s.fake.judge[1] = 0.9
		}
		_, outcome = s.runner.Next(&s.o)
		s.look(Step)
	}
	if outcome.Status != robot.Succeeded {
		t.Errorf("%v: %s", outcome.Status, outcome.Reason)
	}
}

// What never ends has failed, unless it shows that it worked.
func TestWorkedWithoutAnEnd(t *testing.T) {
	for holds, want := range map[float64]robot.Status{0.7: robot.Succeeded, 0.3: robot.Failed} {
		s := newStage(t, nil)
		s.fake.judge = &[2]float64{0.9, holds}
		s.begin()
		outcome, steps := s.play(200)
		if outcome.Status != want || steps < 140 {
			t.Errorf("holds %g: %v after %d steps: %s", holds, outcome.Status, steps, outcome.Reason)
		}
	}
}

// What the judge is sure of is over, although the policy would go on.
func TestSeesThatItWorked(t *testing.T) {
	for holds, want := range map[float64]robot.Status{0.95: robot.Succeeded, 0.8: robot.Running} {
		s := newStage(t, nil)
		s.fake.judge = &[2]float64{0.9, holds}
		s.begin()
		outcome, steps := s.play(40)
		if outcome.Status != want || want == robot.Succeeded && s.fake.asked != surely {
			t.Errorf("holds %g: %v after %d steps, asked %d times", holds, outcome.Status, steps, s.fake.asked)
		}
	}
}
