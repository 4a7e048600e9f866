package daemon

import (
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/expert"
	"github.com/kuai-robot/kuai/sim/world"
	"github.com/kuai-robot/kuai/sim/world/so101"
)

// The judge that kuai comes with trusts the policy with what stands there, not
// with what does not, and shows where it looks.
func TestBuiltInJudge(t *testing.T) {
	c := config.Default()
	c.Runner, c.Affordance = config.Learned, config.Learned
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	p, err := newPolicy(&c, so101.Description())
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	scripted := expert.New(so101.Description())
	judge, err := p.affordance(&c, skill.Workbench(), scripted)
	if err != nil {
		t.Fatal(err)
	}
	w, err := world.New(world.Options{Workbench: true, Renderer: "osmesa"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	there, absent := 0.0, 0.0
	const scenes = 4
	for seed := range uint64(scenes) {
		spec := world.Spec{Objects: []world.Placement{{Name: "red block"}, {Name: "green block"}, {Name: "blue bowl"}}, Vary: world.Training()}
		if err := w.Reset(900+seed, spec); err != nil {
			t.Fatal(err)
		}
		o, err := observe(w)
		if err != nil {
			t.Fatal(err)
		}
		red := robot.Skill{Name: "pick", Args: []string{"red block"}}
		there += judge.Can(o, red) / scenes
		absent += judge.Can(o, robot.Skill{Name: "pick", Args: []string{"purple block"}}) / scenes
		heat := judge.(heater).Heat(red)
		if rows, columns := p.network.Config.Cells(); len(heat) != 1 || len(heat[0].Values) != rows*columns {
			t.Errorf("heat %+v", heat)
		}
	}
	if there < 0.7 || absent > there-0.3 {
		t.Errorf("can %.2f of what is there, %.2f of what is not", there, absent)
	}
	// Scripted is as it was, and a policy without a judge is refused with what to do.
	c.Affordance = config.Scripted
	if a, err := p.affordance(&c, skill.Workbench(), scripted); err != nil || a != scripted {
		t.Errorf("%v, %v", a, err)
	}
	c.Affordance, p.network.Config.Judge = config.Learned, 0
	if _, err := p.affordance(&c, skill.Workbench(), scripted); err == nil || !strings.Contains(err.Error(), "train.vla.judge") {
		t.Errorf("without a judge: %v", err)
	}
}
