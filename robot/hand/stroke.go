package hand

import "github.com/kuai-robot/kuai/robot"

// Heights between which a hand is neither down nor up, m: a hand that trembles
// there has not come down twice.
const (
	downM = 0.045
	upM   = 0.055
)

// Stroke remembers where a hand last came down to the table and how far it went
// from there: what a policy that sees only the present needs to know how far it
// has pushed something. The zero Stroke has not come down.
type Stroke struct {
	// Any: it has come down. Down: it still is.
	Any, Down bool
	// Way is the horizontal way from where it came down to where it is, or was
	// when it rose, m.
	Way  [2]float64
	from robot.Vec3
}

// See takes in where the hand is.
func (s *Stroke) See(h Hand) {
	switch {
	case !s.Down && h.Z < downM:
		s.Any, s.Down, s.from = true, true, h.Position()
	case s.Down && h.Z > upM:
		s.Down = false
	}
	if s.Down {
		s.Way = [2]float64{h.X - s.from[0], h.Y - s.from[1]}
	}
}
