package household_test

import (
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/expert/household"
	"github.com/kuai-robot/kuai/sim/world"
	"github.com/kuai-robot/kuai/sim/world/so101"
)

func (r *room) must(name string, args ...string) {
	r.t.Helper()
	if out := r.do(name, args...); out.Status != robot.Succeeded {
		r.t.Fatalf("%s%v: %v %s", name, args, out.Status, out.Reason)
	}
}

func (r *room) find(name string) robot.Object {
	r.t.Helper()
	o, ok := r.world.Scene().Find(name)
	if !ok {
		r.t.Fatalf("there is no %s", name)
	}
	return *o
}

// What cannot be done from here is refused in words, and can is 0.
func TestWhatCannotBeDone(t *testing.T) {
	r := newRoom(t)
	r.reset(1, world.Spec{})
	r.must("go_to", "table")
	for _, c := range []struct {
		skill robot.Skill
		why   string
	}{
		{robot.Skill{Name: "pick", Args: []string{"sponge"}}, "reachable"},
		{robot.Skill{Name: "pick", Args: []string{"spoon"}}, "reachable"},
		{robot.Skill{Name: "pick", Args: []string{"table"}}, "cannot be carried"},
		{robot.Skill{Name: "pick", Args: []string{"unicorn"}}, "there is no unicorn"},
		{robot.Skill{Name: "place_on", Args: []string{"cola can", "table"}}, "held"},
		{robot.Skill{Name: "open", Args: []string{"top drawer"}}, "here"},
		{robot.Skill{Name: "open", Args: []string{"table"}}, "does not slide"},
		{robot.Skill{Name: "wipe", Args: []string{"table", "sponge"}}, "held"},
		{robot.Skill{Name: "go_to", Args: []string{"cola can"}}, "no place"},
		{robot.Skill{Name: "go_to"}, "takes 1 arguments"},
		{robot.Skill{Name: "juggle"}, "no such skill"},
	} {
		o := r.look()
		if err := r.expert.Begin(c.skill, o); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, want %q", c.skill, err, c.why)
		}
		if can := r.expert.Can(o, c.skill); can != 0 {
			t.Errorf("%s: can is %g", c.skill, can)
		}
	}
	if can := r.expert.Can(r.look(), robot.Skill{Name: "pick", Args: []string{"cola can"}}); can < 0.9 {
		t.Errorf("pick(cola can): can is %g", can)
	}
	if err := household.New(so101.Description()).Begin(robot.Skill{Name: "home"}, r.look()); err == nil {
		t.Error("another robot is not refused")
	}
}

// The cup does not come to what lies in a closed drawer, whatever it is told.
func TestClosedDrawerIsOutOfReach(t *testing.T) {
	r := newRoom(t)
	r.reset(1, world.Spec{})
	r.must("go_to", "top drawer")
	before := r.find("spoon")
	r.see = func(o *robot.Observation) {
		drawer, _ := o.Scene.Find("top drawer")
		drawer.Open = 1
	}
	if out := r.do("pick", "spoon"); out.Status != robot.Failed {
		t.Errorf("it took the spoon out of a closed drawer: %v", out)
	}
	if after := r.find("spoon"); after.In != "top drawer" || after.Pose.Position.Sub(before.Pose.Position).Norm() > robot.UntouchedWithinM {
		t.Errorf("the spoon was %v and is %v in %q", before.Pose.Position, after.Pose.Position, after.In)
	}
}

// What is pulled by more than the bellows give is lost, and the robot goes on.
func TestCupIsTornOff(t *testing.T) {
	r := newRoom(t)
	r.reset(1, world.Spec{})
	r.must("go_to", "bottom drawer")
	if err := r.expert.Begin(robot.Skill{Name: "open", Args: []string{"bottom drawer"}}, r.look()); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		chunk, outcome := r.expert.Next(r.look())
		if outcome.Status != robot.Running {
			t.Fatalf("it ended before the drawer moved: %v", outcome)
		}
		r.chunks++
		chunk.ID, chunk.Source = r.chunks, robot.SourcePolicy
		r.loop.Submit(chunk)
		r.wait(refresh)
		if r.find("bottom drawer").Open > 0.1 {
			break
		}
	}
	r.must("go_to", "table") // the arm goes up with the handle at its cup
	open := r.find("bottom drawer").Open
	if open < 0.05 || open > 0.6 {
		t.Errorf("the drawer was drawn along: it stands open by %.2f", open)
	}
	r.must("pick", "cola can")
}

// A thing that somebody moves on the way to it is followed.
func TestMovedThingIsFollowed(t *testing.T) {
	r := newRoom(t)
	spec := world.Spec{Objects: []world.Placement{{Name: "orange", On: "table"}}}
	r.reset(1, spec)
	r.must("go_to", "table")
	looks := 0
	r.see = func(*robot.Observation) {
		if looks++; looks == 12 {
			if moved, err := r.world.Move("orange", [2]float64{1.6, 0.7}); err != nil || !moved {
				t.Errorf("the orange is not moved: %v", err)
			}
		}
	}
	r.must("pick", "orange")
	if o := r.find("orange"); !o.Held {
		t.Error("the orange is not held")
	}
}

// What is in the way of the sponge is not swept off.
func TestWipingSparesWhatLiesThere(t *testing.T) {
	r := newRoom(t)
	r.reset(1, world.Spec{Objects: []world.Placement{{Name: "orange", On: "table"}, {Name: "sponge", On: "table"}}})
	if moved, err := r.world.Move("orange", [2]float64{1.42, 0.5}); err != nil || !moved {
		t.Fatal(moved, err)
	}
	r.must("go_to", "table")
	r.must("pick", "sponge")
	if out := r.do("wipe", "table", "sponge"); out.Status != robot.Failed || !strings.Contains(out.Reason, "orange") {
		t.Errorf("wipe: %v", out)
	}
}

// The same seed gives the same episode, to the bit.
func TestDeterministic(t *testing.T) {
	var ends [2]robot.Object
	for i := range ends {
		r := newRoom(t)
		r.reset(3, world.Spec{})
		r.must("go_to", "table")
		r.must("pick", "cola can")
		r.must("go_to", "user")
		r.must("hand_over", "cola can", "user")
		ends[i] = r.find("cola can")
	}
	if ends[0] != ends[1] {
		t.Errorf("two runs end differently:\n%+v\n%+v", ends[0], ends[1])
	}
}
