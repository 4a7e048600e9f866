package demos

import (
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/robot/hand"
	"github.com/kuai-robot/kuai/sim/expert"
)

// Asking is a way to make much of an episode: what a policy needs most is many
// scenes, and many things asked for in each, not every instant of one skill.
type Asking struct {
	// Every is how many steps there are between two frames, in the mean.
	Every int
	// Others is for how many skills besides the one under way the teacher is asked
	// at each of them.
	Others int
}

// Ask plays e as Run does, but looks only now and then, and asks the teacher then
// for other skills as well: what would you do, from here, to put it into the other
// bowl? Each answer is a frame of its own, at the beginning of its skill. The sink
// is not told what succeeded: nothing of what was asked was carried out.
func (s *Studio) Ask(e *Episode, actor Actor, a Asking, sink Sink) (success []bool, err error) {
	t, err := s.begin(e, sink)
	if err != nil {
		return nil, err
	}
	for _, skill := range e.Skills {
		ok, err := t.askAlong(skill, actor, a)
		if err != nil {
			return nil, err
		}
		if success = append(success, ok); !ok {
			break
		}
	}
	return success, sink.End(nil)
}

// askAlong plays a skill to its end, and asks on the way.
func (t *take) askAlong(skill robot.Skill, actor Actor, a Asking) (bool, error) {
	actor.Begin(skill, t.random)
	t.stroke = hand.Stroke{}
	before := t.world.Scene()
	for step, rest := 0, 0; step < maxSkillSteps && rest < restSteps; step++ {
		f, err := t.advise(skill, step)
		if err != nil {
			return false, err
		}
		if t.random.IntN(max(a.Every, 1)) == 0 {
			if err := t.ask(f, a.Others); err != nil {
				return false, err
			}
		}
		to, over, err := actor.Act(f)
		if err != nil {
			return false, err
		}
		if rest++; !over {
			rest = 0
		}
		if err := t.move(to); err != nil {
			return false, err
		}
	}
	_, ok := robot.HoldAll(Promise(skill), before, t.world.Scene())
	return ok, nil
}

// ask keeps f, and the same instant for others of the skills that make sense in it.
func (t *take) ask(f *Frame, others int) error {
	if err := t.render(); err != nil {
		return err
	}
	own := *f
	own.Step = 0
	if err := t.sink.Add(&own); err != nil {
		return err
	}
	sensible := sensible(f.Scene)
	t.random.Shuffle(len(sensible), func(i, j int) { sensible[i], sensible[j] = sensible[j], sensible[i] })
	for _, skill := range sensible {
		if others == 0 {
			break
		}
		if skill.Equal(f.Skill) || HeldOut(skill) {
			continue
		}
		g := own
		g.Skill, g.Stroke = skill, hand.Stroke{}
		g.Stroke.See(g.Hand)
		var err error
		if g.Ahead, err = t.reflex.Ahead(skill, &expert.Sight{Scene: g.Scene, Hand: g.Hand, Stroke: g.Stroke}, Horizon); err != nil {
			continue // it does not go from here: what is under way does
		}
		if err := t.sink.Add(&g); err != nil {
			return err
		}
		others--
	}
	return nil
}

// sensible lists what could be asked for: with something in the hand, where to put
// it; else what there is to do with each thing.
func sensible(scene *robot.Scene) []robot.Skill {
	var all []robot.Skill
	add := func(name string, args ...string) { all = append(all, robot.Skill{Name: name, Args: args}) }
	held := ""
	for i := range scene.Objects {
		if o := &scene.Objects[i]; o.Held && o.Kind != "drawer" {
			held = o.Name
		}
	}
	for i := range scene.Objects {
		o := &scene.Objects[i]
		switch {
		case held != "" && o.Kind == "bowl":
			add("place_in", held, o.Name)
		case held != "" && o.Kind == "block" && o.Name != held:
			add("place_on", held, o.Name)
		case held != "":
		case o.Kind == "block" || o.Kind == "cylinder":
			add("pick", o.Name)
			add("push", o.Name, "left")
			add("push", o.Name, "right")
		case o.Kind == "button":
			add("press", o.Name)
		case o.Kind == "drawer":
			add("open", o.Name)
			add("close", o.Name)
		}
	}
	return all
}
