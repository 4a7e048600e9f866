package expert

import (
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// spline is a natural cubic spline through knots in joint space: position and
// its first two derivatives are continuous along it.
type spline struct {
	joints int
	// at is the parameter of each knot: seconds at full speed.
	at []float64
	// value and bend are position and second derivative at each knot.
	value, bend []robot.Joints
}

// minGap is the least distance between knots, s at full speed. A spline through
// knots that nearly coincide swings far out between the others.
const minGap = 0.008

// newSpline runs through knots, but for those that lie within minGap of the one
// before; the first and the last are kept. The parameter between two is the
// time that the slowest joint needs at its speed limit.
func newSpline(d *robot.Description, knots []robot.Joints) *spline {
	c := &spline{joints: len(d.Joints)}
	for k := range knots {
		n := len(c.value)
		if n == 0 {
			c.at, c.value = append(c.at, 0), append(c.value, knots[k])
			continue
		}
		gap := c.gap(d, &c.value[n-1], &knots[k])
		switch last := k == len(knots)-1; {
		case gap >= minGap, last && n == 1 && gap > 0:
			c.at, c.value = append(c.at, c.at[n-1]+gap), append(c.value, knots[k])
		case last && n > 1:
			c.at[n-1], c.value[n-1] = c.at[n-2]+max(c.gap(d, &c.value[n-2], &knots[k]), minGap/2), knots[k]
		}
	}
	c.findBends()
	return c
}

// gap gives the time between two positions at full speed.
func (c *spline) gap(d *robot.Description, p, q *robot.Joints) float64 {
	gap := 0.0
	for j := range c.joints {
		gap = max(gap, math.Abs(p[j]-q[j])/d.Joints[j].Limits.MaxVelocity)
	}
	return gap
}

// findBends solves the tridiagonal system for the second derivatives, zero at
// both ends (Thomas algorithm, every joint at once).
func (c *spline) findBends() {
	n := len(c.at)
	c.bend = make([]robot.Joints, n)
	upper := make([]float64, n)
	for i := 1; i < n-1; i++ {
		before, after := c.at[i]-c.at[i-1], c.at[i+1]-c.at[i]
		pivot := 2*(before+after) - before*upper[i-1]
		upper[i] = after / pivot
		for j := range c.joints {
			slope := (c.value[i+1][j]-c.value[i][j])/after - (c.value[i][j]-c.value[i-1][j])/before
			c.bend[i][j] = (6*slope - before*c.bend[i-1][j]) / pivot
		}
	}
	for i := n - 2; i > 0; i-- {
		for j := range c.joints {
			c.bend[i][j] -= upper[i] * c.bend[i+1][j]
		}
	}
}

// length is the parameter of the last knot.
func (c *spline) length() float64 { return c.at[len(c.at)-1] }

// eval gives position and the first two derivatives at parameter s.
func (c *spline) eval(s float64) (p, d1, d2 robot.Joints) {
	if len(c.at) == 1 {
		return c.value[0], d1, d2
	}
	i := 0
	for i < len(c.at)-2 && s > c.at[i+1] {
		i++
	}
	h := c.at[i+1] - c.at[i]
	b := clamp((s-c.at[i])/h, 0, 1)
	a := 1 - b
	for j := range c.joints {
		v0, v1, m0, m1 := c.value[i][j], c.value[i+1][j], c.bend[i][j], c.bend[i+1][j]
		p[j] = a*v0 + b*v1 + ((a*a*a-a)*m0+(b*b*b-b)*m1)*h*h/6
		d1[j] = (v1-v0)/h + ((1-3*a*a)*m0+(3*b*b-1)*m1)*h/6
		d2[j] = a*m0 + b*m1
	}
	return p, d1, d2
}
