package daemon

import (
	"github.com/kuai-robot/kuai/policy/learned"
	"github.com/kuai-robot/kuai/sim/eval"
)

var _ eval.Seamed = (*Lab)(nil)

// counted is what all episodes so far counted at the seams.
func (l *Lab) counted() learned.Stats {
	all := l.seams
	if l.runner != nil {
		now := l.runner.Stats()
		all.Add(now)
	}
	return all
}

// Seams implements eval.Seamed.
func (l *Lab) Seams() eval.Seams {
	s := l.counted()
	n := float64(max(s.Seams, 1))
	return eval.Seams{
		Count:    s.Seams,
		Given:    eval.Jumps{Position: s.JumpAbrupt / n, Velocity: s.TurnAbrupt / n, WorstPosition: s.WorstJumpAbrupt, WorstVelocity: s.WorstTurnAbrupt},
		Followed: eval.Jumps{Position: s.Jump / n, Velocity: s.Turn / n, WorstPosition: s.WorstJump, WorstVelocity: s.WorstTurn},
	}
}
