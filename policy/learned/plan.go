package learned

import (
	"math"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/robot/hand"
)

// Step is the time between two actions of a chunk.
const Step = 100 * time.Millisecond

// Bounds of what a hand does in a step, and of where it goes.
const (
	maxMoveM   = 0.06
	maxTiltRad = 0.35
	maxRollRad = 0.6
	lowestM    = 0.0185
	// lagM is how far the hand may be from where it was told to be for the old
	// chunk to count.
	lagM = 0.06
)

// mixed are the weights of the old chunk in the steps after those that are fixed.
var mixed = [...]float64{0.5, 0.25}

// course is where the hand is to be from an instant on, a Step apart.
type course struct {
	start robot.Time
	hands []hand.Hand
}

// at gives where the hand is to be at t, between the steps in a straight line.
func (c *course) at(t robot.Time) hand.Hand {
	k, part := c.find(t)
	if k >= len(c.hands)-1 {
		return c.hands[len(c.hands)-1]
	}
	a, b := c.hands[k].Vector(), c.hands[k+1].Vector()
	for i := range a {
		a[i] += part * (b[i] - a[i])
	}
	return hand.Of(a)
}

func (c *course) find(t robot.Time) (k int, part float64) {
	since := max(t.Sub(c.start), 0)
	return int(since / Step), float64(since%Step) / float64(Step)
}

// left counts the whole steps of c after t.
func (c *course) left(t robot.Time) int {
	k, _ := c.find(t)
	return max(len(c.hands)-1-k, 0)
}

// next makes the course from t on: from where the hand was told to be, or is when
// it does not follow, along moves, which are relative to where it is. The first
// fixed steps stay those of the old course.
func (c *course) next(t robot.Time, now hand.Hand, moves []hand.Hand, fixed int) *course {
	from, follows := now, false
	if c != nil {
		told := c.at(t)
		if told.Position().Sub(now.Position()).Norm() < lagM {
			from, follows = told, true
		}
	}
	n := &course{start: t, hands: make([]hand.Hand, 1, len(moves)+1)}
	n.hands[0] = from
	for k, move := range moves {
		to := bounded(n.hands[k], hand.Hand{
			X: now.X + move.X, Y: now.Y + move.Y, Z: now.Z + move.Z, Tilt: now.Tilt + move.Tilt, Roll: now.Roll + move.Roll, Grip: move.Grip,
		})
		if w := weight(k, fixed); follows && w > 0 && k < c.left(t) {
			old := c.at(t.Add(time.Duration(k+1) * Step))
			to = blend(to, old, w)
		}
		n.hands = append(n.hands, to)
	}
	return n
}

// weight of the old course at step k.
func weight(k, fixed int) float64 {
	switch {
	case fixed < 0:
		return 0
	case k < fixed:
		return 1
	case k-fixed < len(mixed):
		return mixed[k-fixed]
	}
	return 0
}

// blend mixes two hands; the fingers are on one side or the other.
func blend(a, b hand.Hand, w float64) hand.Hand {
	x, y := a.Vector(), b.Vector()
	for i := range hand.Size - 1 {
		x[i] += w * (y[i] - x[i])
	}
	if w == 1 {
		x[hand.Size-1] = y[hand.Size-1]
	}
	return hand.Of(x)
}

// bounded keeps a step within what a hand can do, and above the table.
func bounded(from, to hand.Hand) hand.Hand {
	d := to.Position().Sub(from.Position())
	if n := d.Norm(); n > maxMoveM {
		d = d.Scale(maxMoveM / n)
	}
	to.X, to.Y, to.Z = from.X+d[0], from.Y+d[1], math.Max(from.Z+d[2], lowestM)
	to.Tilt = from.Tilt + clamp(to.Tilt-from.Tilt, maxTiltRad)
	to.Roll = from.Roll + clamp(to.Roll-from.Roll, maxRollRad)
	return to
}

func clamp(v, most float64) float64 { return min(max(v, -most), most) }
