package expert

import (
	"github.com/kuai-robot/kuai/robot"
)

// nothing is the skill that closes a plan.
type nothing struct{}

func (nothing) plan(*arm, *robot.Observation, *robot.Joints) (plan, error) {
	return plan{gap: easyM}, nil
}

func (nothing) next(*arm, *robot.Observation, *robot.Joints) (motion, robot.Outcome) {
	return motion{}, succeeded
}

func (nothing) outdated(*robot.Observation) bool { return false }

// homing brings the arm to rest, with whatever is in the hand.
type homing struct{ moved bool }

func (t *homing) plan(*arm, *robot.Observation, *robot.Joints) (plan, error) {
	return plan{gap: easyM}, nil
}

func (t *homing) next(a *arm, o *robot.Observation, from *robot.Joints) (motion, robot.Outcome) {
	home := a.desc.Home()
	home[a.gripper] = from[a.gripper]
	holds := false
	if o.Scene != nil {
		_, holds = o.Scene.Held()
	}
	if !holds {
		home[a.gripper] = a.desc.Home()[a.gripper]
	}
	if t.moved {
		if a.lags(&home, &o.State.Position, 3*restLagRad) {
			return motion{}, failed("the arm does not come to its home position: something holds it up")
		}
		return motion{}, succeeded
	}
	t.moved = true
	var knots []robot.Joints
	if o.Scene != nil {
		start, end := a.viaAt(from), a.viaAt(&home)
		z := a.over(layoutOf(o.Scene), start, end, 2*a.shape.tip, a.shape.palmClosing)
		if up, ok := a.rise(from, max(z-start.z, 0)); ok {
			knots = up
		}
	}
	m := motion{knots: append(knots, home)}
	if holds {
		m.slowdown = carrySlowdown
	}
	return m, running
}

func (t *homing) outdated(*robot.Observation) bool { return false }
