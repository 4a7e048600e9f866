package gobot

import (
	"errors"
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// unit says what an output's number is.
type unit uint8

const (
	pulses  unit = iota // µs
	degrees             // of Gobot's ServoWrite
	duty                // 0 to 1
)

// output is how a joint's number becomes that of a pin.
type output struct {
	joint     int // index in the description
	name      string
	pin       string
	direction string // of a motor; empty otherwise
	unit      unit
	byRate    bool // a wheel: the number is its velocity

	atMin, atMax    float64 // the joint's
	least, greatest float64 // the pin's
	inverted        bool
}

// level is what a pin is told.
type level struct {
	value    float64 // in the output's unit
	backward bool
}

// still is the share of a motor's speed below which it stands.
const still = 1e-3

// at gives what the pin is told for the joint's number; never beyond the range.
func (o *output) at(v float64) level {
	if o.direction != "" {
		share := min(1, math.Abs(v)/o.atMax)
		if share < still {
			return level{}
		}
		return level{value: o.least + share*(o.greatest-o.least), backward: (v < 0) != o.inverted}
	}
	share := max(0, min(1, (v-o.atMin)/(o.atMax-o.atMin)))
	if o.inverted {
		share = 1 - share
	}
	return level{value: o.least + share*(o.greatest-o.least)}
}

// number gives what the command says of the joint.
func (o *output) number(c *robot.Command) float64 {
	if o.byRate {
		return c.Velocity[o.joint]
	}
	return c.Position[o.joint]
}

// compile joins the configured joints to those of the description, by board.
// Every joint must be moved by something, over all of its range.
func compile(d *robot.Description, c *Config) (map[string][]output, error) {
	var errs []error
	byBoard := map[string][]output{}
	configured := map[string]bool{}
	for i := range c.Joints {
		j := &c.Joints[i]
		configured[j.Name] = true
		o, err := compileJoint(d, j)
		if err != nil {
			errs = append(errs, fmt.Errorf("joint %s: %w", j.Name, err))
			continue
		}
		board := c.boardOf(j)
		byBoard[board] = append(byBoard[board], o)
	}
	for i := range d.Joints {
		if name := d.Joints[i].Name; !configured[name] {
			errs = append(errs, fmt.Errorf("joint %s of robot %s is not in the configuration", name, d.Name))
		}
	}
	return byBoard, errors.Join(errs...)
}

func compileJoint(d *robot.Description, j *Joint) (output, error) {
	i := d.Index(j.Name)
	if i < 0 {
		names := make([]string, len(d.Joints))
		for k := range d.Joints {
			names[k] = d.Joints[k].Name
		}
		return output{}, fmt.Errorf("robot %s has no such joint (did you mean %s?)", d.Name, robot.Nearest(j.Name, names))
	}
	of := &d.Joints[i]
	o := output{joint: i, name: j.Name, pin: j.Pin, direction: j.DirectionPin, byRate: of.Kind == robot.Wheel, inverted: j.Inverted}
	o.least, o.greatest = j.output()
	switch {
	case j.Kind != KindServo:
		o.unit = duty
	case j.angles():
		o.unit = degrees
	}
	low, high := of.Limits.MinPosition, of.Limits.MaxPosition
	if o.byRate {
		low, high = -of.Limits.MaxVelocity, of.Limits.MaxVelocity
	}
	o.atMin, o.atMax = low, high
	if j.Kind != KindServo && o.byRate {
		o.atMin = 0
	}
	if j.AtMin != nil {
		o.atMin = *j.AtMin
	}
	if j.AtMax != nil {
		o.atMax = *j.AtMax
	}
	return o, o.check(j, low, high)
}

// check says why the output cannot move a joint from low to high.
func (o *output) check(j *Joint, low, high float64) error {
	const slack = 1e-9
	switch {
	case j.Kind == KindMotor && !o.byRate:
		return errors.New("a motor has no position: only a wheel can be one (a servo or pwm takes a position)")
	case j.Kind == KindMotor && (o.atMin != 0 || !(o.atMax > 0)):
		return fmt.Errorf("a motor stands at 0, so at_min is 0 and at_max above it, not %g and %g", o.atMin, o.atMax)
	case !(o.atMin < o.atMax):
		return fmt.Errorf("at_min %g is not below at_max %g", o.atMin, o.atMax)
	case j.Kind == KindMotor:
		low = 0
	case j.Kind == KindPWM && o.byRate:
		// It turns one way only; what would turn it back leaves it standing.
		low = 0
	}
	if low < o.atMin-slack || high > o.atMax+slack {
		return fmt.Errorf("its limits [%g, %g] reach beyond [%g, %g], which is all that the outputs cover (narrow the limits in the description, or measure at_min and at_max)", low, high, o.atMin, o.atMax)
	}
	return nil
}
