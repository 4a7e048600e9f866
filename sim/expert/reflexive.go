package expert

import (
	"fmt"
	"time"

	"github.com/kuai-robot/kuai/robot"
	kin "github.com/kuai-robot/kuai/robot/hand"
)

// Skills that Expert carries out by its reflex: a button and a drawer stand free,
// so there is nothing to plan around.
var reflexive = map[string]bool{"press": true, "open": true, "close": true}

const (
	reflexPeriod = time.Duration(ReflexStep * float64(time.Second))
	reflexSteps  = 8 // of a chunk
	reflexLong   = 90
	reflexTime   = 15 * time.Second
)

// reacting is a reflex at work: at every observation it says anew what to do from
// where the hand will be a step later. That step stays as it was told before, so
// that at the seam to the next chunk neither position nor velocity jumps.
type reacting struct {
	reflex *Reflex
	skill  robot.Skill
	began  robot.Time
	stroke kin.Stroke
	// told is where the joints were told to be a step ago, now, and a step from now.
	told [3]robot.Joints
}

// strayM is how far the hand may be from where it was told to be.
const strayM = 0.05

// react begins a reflexive skill, or says why it cannot be done from here.
func (e *Expert) react(s robot.Skill, o *robot.Observation) error {
	reflex, err := NewReflex(e.arm.desc)
	if err != nil {
		return err
	}
	r := &reacting{reflex: reflex, skill: s, began: o.At}
	r.stand(o)
	if _, err := r.foresee(o); err != nil {
		return fmt.Errorf("%s: %w", s, err)
	}
	e.reacting = r
	return nil
}

// foresee imagines the whole skill and gives the chance that it works out.
func (r *reacting) foresee(o *robot.Observation) (float64, error) {
	if o.Scene != nil {
		if held, ok := o.Scene.Held(); ok && held.Name != r.skill.Args[0] {
			return 0, fmt.Errorf("the hand is full: it holds the %s", held.Name)
		}
	}
	v := Sight{Scene: o.Scene, Hand: r.reflex.kin.Hand(&o.State.Position), Stroke: r.stroke}
	ahead, err := r.reflex.Ahead(r.skill, &v, reflexLong)
	if err != nil {
		return 0, err
	}
	if ahead.DoneAt == reflexLong {
		return 0, fmt.Errorf("the arm does not get to the %s", r.skill.Args[0])
	}
	const easy = 0.97
	return easy, nil
}

// stand forgets what the joints were told: they are to be where they are.
func (r *reacting) stand(o *robot.Observation) {
	q := o.State.Position
	r.told = [3]robot.Joints{q, q, q}
}

// next gives the next stretch of motion.
func (r *reacting) next(o *robot.Observation) (robot.Chunk, robot.Outcome) {
	now, told := r.reflex.kin.Hand(&o.State.Position), r.reflex.kin.Hand(&r.told[1])
	if told.Position().Sub(now.Position()).Norm() > strayM {
		r.stand(o)
	}
	next := r.reflex.kin.Hand(&r.told[2])
	next.Grip = now.Grip // where it is, not where it was sent, tells what it holds
	r.stroke.See(now)
	v := Sight{Scene: o.Scene, Hand: next, Stroke: r.stroke}
	ahead, err := r.reflex.Ahead(r.skill, &v, reflexSteps)
	c := robot.Chunk{
		ObservedAt: o.Oldest(), Start: o.At.Add(-reflexPeriod), Step: reflexPeriod, Expires: o.At.Add(chunkExpires),
		Actions: append(make([]robot.Joints, 0, reflexSteps+3), r.told[:]...),
	}
	if err != nil {
		return c, failed(err.Error())
	}
	q := r.told[2]
	for _, to := range ahead.Hands {
		q, _ = r.reflex.kin.Joints(to, &q)
		c.Actions = append(c.Actions, q)
	}
	r.told = [3]robot.Joints{r.told[1], r.told[2], c.Actions[3]}
	switch {
	case ahead.DoneAt == 0:
		return c, succeeded
	case o.At.Sub(r.began) > reflexTime:
		return c, failed("it took too long")
	}
	return c, running
}
