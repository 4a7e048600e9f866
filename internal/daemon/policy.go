package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/kuai-robot/kuai/fusion/vla"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/policy/learned"
	"github.com/kuai-robot/kuai/policy/saycan"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world"
)

// policy is a learned policy that is loaded once; nil: skills are scripted.
type policy struct {
	description *robot.Description
	bounds      learned.Bounds
	network     *vla.Policy
	session     *vla.Session
	compute     notices
}

// newPolicy loads what c names, nil where the runner is not the learned one.
func newPolicy(c *config.Config, d *robot.Description) (*policy, error) {
	if c.Runner != config.Learned {
		return nil, nil
	}
	var folder fs.FS
	if c.Policy == config.Auto {
		folder = learned.Weights()
	} else {
		folder = os.DirFS(c.Policy)
	}
	p := &policy{description: d, bounds: learned.Bounds{RealTime: c.Chunking == config.RealTime}}
	var err error
	if p.network, err = vla.OpenFS(folder, d, newBackend(&c.Planner, p.compute.add), kernels.Options{}); err != nil {
		return nil, fmt.Errorf("policy: %s: %w", c.Policy, err)
	}
	p.bounds.Doubt = p.network.Config.Doubt
	if p.session, err = p.network.NewSession(c.Sim.Seed); err != nil {
		return nil, errors.Join(err, p.network.Close())
	}
	return p, nil
}

func (p *policy) close() error {
	if p == nil {
		return nil
	}
	return errors.Join(p.session.Close(), p.network.Close())
}

// runner makes the runner of an agent; other runs what was never taught.
func (p *policy) runner(c *skill.Catalogue, other learned.Other) (*learned.Runner, error) {
	config := p.acting(c)
	config.Other = other
	return learned.New(config)
}

// acting is what acts and judges by the policy.
func (p *policy) acting(c *skill.Catalogue) learned.Config {
	return learned.Config{
		Description: p.description, Predictor: p.session, Phrase: phraseOf(c), Bounds: p.bounds,
		// A picture that cannot be judged is the network's to refuse.
		Unlike: func(f *robot.Frame) float64 { unlike, _ := p.network.Config.Unlike(f); return unlike },
		// What was taught of place_on is to put something onto a block.
		Knows: func(s robot.Skill) bool {
			return p.network.Config.Knows(s.Name) && !(s.Name == "place_on" && len(s.Args) == 2 && s.Args[1] == world.Table)
		},
	}
}

// affordance gives what judges skills: the policy's judge where c asks for it, and
// other where it does not, or of what the policy was never taught.
func (p *policy) affordance(c *config.Config, catalogue *skill.Catalogue, other saycan.Affordance) (saycan.Affordance, error) {
	if c.Affordance != config.Learned || p == nil {
		return other, nil
	}
	if p.network.Config.Judge == 0 {
		return nil, fmt.Errorf("affordance: %s: the policy %s has no judge (python -m train.vla.judge makes one, see docs/learning.md)", c.Affordance, c.Policy)
	}
	rows, columns := p.network.Config.Cells()
	return learned.NewAffordance(p.acting(catalogue), other, rows, columns)
}

// pictures gives height and width of what the network sees.
func (p *policy) pictures() map[string][2]int {
	return map[string][2]int{"front": p.network.Config.Front, "wrist": p.network.Config.Wrist}
}

// seeing is a body in lockstep with the simulator that looks through its cameras
// when it is asked, in the network's own size.
type seeing struct {
	body
	world simulated
	size  map[string][2]int
	last  robot.Time
	taken []robot.Frame
}

// Observe implements agent.Body.
func (s *seeing) Observe() robot.Observation {
	o := s.body.Observe()
	if s.taken == nil || s.last != o.At {
		s.taken, s.last = nil, o.At
		for _, name := range s.world.Cameras() {
			size := s.size[name]
			f := robot.Frame{Camera: name, Width: size[1], Height: size[0], Pixels: make([]byte, 3*size[0]*size[1])}
			var err error
			// A picture that cannot be taken is missing, and the runner says so.
			if f.At, err = s.world.Capture(name, f.Width, f.Height, f.Pixels); err == nil {
				s.taken = append(s.taken, f)
			}
		}
	}
	o.Frames = s.taken
	return o
}

var _ agent.Body = (*seeing)(nil)

// newRunner gives what carries skills out: the learned policy where the
// configuration asks for it, and what it was not taught, or everything, scripted;
// and what judges them.
func (d *Daemon) newRunner(scripted scripted) (agent.Runner, saycan.Affordance, error) {
	p, err := newPolicy(d.config, d.description)
	if err != nil || p == nil {
		return scripted, scripted, err
	}
	d.closers = append(d.closers, p.close)
	p.compute.listen(d.computeWarning)
	runner, err := p.runner(d.mind.catalogue, scripted)
	if err != nil {
		return nil, nil, err
	}
	affordance, err := p.affordance(d.config, d.mind.catalogue, scripted)
	return runner, affordance, err
}

// firstPicture is how long cameras may take to start before a policy that sees is
// asked all the same, and says what it lacks.
const firstPicture = 5 * time.Second

// awaitPictures waits until the cameras of a learned policy have started.
func (d *Daemon) awaitPictures(ctx context.Context) error {
	if d.config.Runner != config.Learned {
		return nil
	}
	until := d.clock.Now().Add(firstPicture)
	for {
		o := d.sensors.Observe(d.clock.Now(), robot.State{}, nil)
		_, front := o.Frame("front")
		_, wrist := o.Frame("wrist")
		if front && wrist || d.clock.Now() >= until {
			return nil
		}
		if err := d.clock.Wait(ctx, d.clock.Now().Add(firstPicture/100)); err != nil {
			return err
		}
	}
}
