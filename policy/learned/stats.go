package learned

import (
	"math"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/robot/hand"
)

// Stats counts what happened at the seams between chunks.
type Stats struct {
	// Seams between an old chunk and a new one; Held is how often the arm was held
	// because a camera showed nothing.
	Seams, Held int
	// Jump and JumpAbrupt sum, over the seams, how far the joint that is farthest
	// off has to jump in position a step after the seam, from the old chunk to the
	// new one as it is followed and as the network gave it, rad; Turn and TurnAbrupt
	// are the same of velocity, rad/s. Worst are the largest.
	Jump, JumpAbrupt, Turn, TurnAbrupt                     float64
	WorstJump, WorstJumpAbrupt, WorstTurn, WorstTurnAbrupt float64
}

// Stats gives the counts so far.
func (r *Runner) Stats() Stats { return r.stats }

// count takes a seam in: where the courses have the joints one step on, and how
// fast they get there.
func (s *Stats) count(arm *hand.Arm, old, followed, abrupt *course, o *robot.Observation) {
	if old == nil || old.left(o.At) < 1 {
		return
	}
	was, wasFast := ahead(arm, old, o)
	s.Seams++
	jump, turn := away(arm, followed, o, &was, &wasFast)
	s.Jump, s.Turn = s.Jump+jump, s.Turn+turn
	s.WorstJump, s.WorstTurn = max(s.WorstJump, jump), max(s.WorstTurn, turn)
	jump, turn = away(arm, abrupt, o, &was, &wasFast)
	s.JumpAbrupt, s.TurnAbrupt = s.JumpAbrupt+jump, s.TurnAbrupt+turn
	s.WorstJumpAbrupt, s.WorstTurnAbrupt = max(s.WorstJumpAbrupt, jump), max(s.WorstTurnAbrupt, turn)
}

// ahead gives the joints of a course a step after o, and their velocity until
// there.
func ahead(arm *hand.Arm, c *course, o *robot.Observation) (q, v robot.Joints) {
	from, _ := arm.Joints(c.at(o.At), &o.State.Position)
	q, _ = arm.Joints(c.at(o.At.Add(Step)), &from)
	for i := range q {
		v[i] = (q[i] - from[i]) / Step.Seconds()
	}
	return q, v
}

// away gives how far a course is from joints and velocities a step after o. The
// gripper, whose unit is another, is the last joint and left out.
func away(arm *hand.Arm, c *course, o *robot.Observation, was, wasFast *robot.Joints) (jump, turn float64) {
	q, v := ahead(arm, c, o)
	for _, i := range arm.Turning() {
		jump, turn = max(jump, math.Abs(q[i]-was[i])), max(turn, math.Abs(v[i]-wasFast[i]))
	}
	return jump, turn
}

// Add adds another's counts.
func (s *Stats) Add(t Stats) {
	s.Seams, s.Held = s.Seams+t.Seams, s.Held+t.Held
	s.Jump, s.JumpAbrupt, s.Turn, s.TurnAbrupt = s.Jump+t.Jump, s.JumpAbrupt+t.JumpAbrupt, s.Turn+t.Turn, s.TurnAbrupt+t.TurnAbrupt
	s.WorstJump, s.WorstJumpAbrupt = max(s.WorstJump, t.WorstJump), max(s.WorstJumpAbrupt, t.WorstJumpAbrupt)
	s.WorstTurn, s.WorstTurnAbrupt = max(s.WorstTurn, t.WorstTurn), max(s.WorstTurnAbrupt, t.WorstTurnAbrupt)
}
