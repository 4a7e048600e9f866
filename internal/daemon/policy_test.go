package daemon

import (
	"errors"
	"testing"

	"github.com/kuai-robot/kuai/fusion/vla"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/policy/learned"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/demos"
	"github.com/kuai-robot/kuai/sim/expert"
	"github.com/kuai-robot/kuai/sim/world"
	"github.com/kuai-robot/kuai/sim/world/so101"
)

// The policy that kuai comes with fits the network, the cameras of the simulator
// and the skills of the workbench.
func TestBuiltInPolicy(t *testing.T) {
	c := config.Default()
	c.Runner = config.Learned
	p, err := newPolicy(&c, so101.Description())
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	catalogue := skill.Workbench()
	r, err := p.runner(catalogue, expert.New(so101.Description()))
	if err != nil {
		t.Fatal(err)
	}
	w, err := world.New(world.Options{Workbench: true, Renderer: "osmesa"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	o, err := observe(w)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range p.network.Config.Skills {
		found := false
		for i := range catalogue.Skills {
			found = found || catalogue.Skills[i].Name == name
		}
		if !found {
			t.Errorf("the policy was taught %q, which the workbench's catalogue does not have", name)
		}
	}
	pick := robot.Skill{Name: "pick", Args: []string{"red block"}}
	if err := r.Begin(pick, o); err != nil {
		t.Fatal(err)
	}
	chunk, outcome := r.Next(o)
	if outcome.Status != robot.Running || len(chunk.Actions) < demos.Horizon {
		t.Errorf("%v, a chunk of %d actions", outcome, len(chunk.Actions))
	}
	if err := r.Begin(robot.Skill{Name: "home"}, o); err != nil {
		t.Errorf("what was not taught is not scripted: %v", err)
	}
	// The two cameras plugged in the wrong way round.
	for i, name := range []string{"wrist", "front"} {
		f := robot.Frame{Camera: name, At: o.At, Width: 160, Height: 120, Pixels: make([]byte, 3*160*120)}
		if err := w.Render(world.Cameras()[i], f.Width, f.Height, f.Pixels); err != nil {
			t.Fatal(err)
		}
		o.Frames[i] = f
	}
	if err := r.Begin(pick, o); err == nil {
		t.Error("with the cameras swapped it begins")
	}
}

func TestPolicyOfAnotherRobot(t *testing.T) {
	c := config.Default()
	c.Runner = config.Learned
	d := so101.Description()
	d.Name = "ur5"
	if _, err := newPolicy(&c, d); !errors.Is(err, vla.ErrRobot) {
		t.Errorf("a policy for another robot gives %v", err)
	}
	c.Policy = t.TempDir()
	if _, err := newPolicy(&c, so101.Description()); err == nil {
		t.Error("an empty folder is a policy")
	}
	c.Runner = config.Scripted
	if p, err := newPolicy(&c, d); p != nil || err != nil {
		t.Errorf("scripted skills load a policy: %v, %v", p, err)
	}
}

var _ learned.Other = (*expert.Expert)(nil)
