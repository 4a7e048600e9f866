package sensor

import (
	"errors"
	"fmt"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// Age says how old one sample of an observation is.
type Age struct {
	// Sensor is "joints", "scene" or "camera NAME".
	Sensor string
	Age    time.Duration
}

// Ages gives the age of each sample in o: the joints, the scene when there is
// one, then the cameras in their order.
func Ages(o *robot.Observation) []Age {
	ages := []Age{{"joints", o.At.Sub(o.State.At)}}
	if o.Scene != nil {
		ages = append(ages, Age{"scene", o.At.Sub(o.Scene.At)})
	}
	for i := range o.Frames {
		ages = append(ages, Age{"camera " + o.Frames[i].Camera, o.At.Sub(o.Frames[i].At)})
	}
	return ages
}

// Needs are what a stage acts on, and how old each may be. What is zero, or not
// named, is not needed.
type Needs struct {
	Joints, Scene time.Duration
	Cameras       []CameraNeed
}

// CameraNeed is a camera and how old its picture may be.
type CameraNeed struct {
	Name string
	Age  time.Duration
}

// Check says everything in o that is missing or older than the stage may act
// on; nil when it may go ahead.
func (n *Needs) Check(o *robot.Observation) error {
	var errs []error
	need := func(what string, at robot.Time, limit time.Duration) {
		switch age := o.At.Sub(at); {
		case at == 0:
			errs = append(errs, fmt.Errorf("%s: nothing came yet", what))
		case age > limit:
			errs = append(errs, fmt.Errorf("%s: the newest sample is %d ms old, at most %d are allowed",
				what, age.Milliseconds(), limit.Milliseconds()))
		}
	}
	if n.Joints > 0 {
		need("joints", o.State.At, n.Joints)
	}
	if n.Scene > 0 {
		var at robot.Time
		if o.Scene != nil {
			at = o.Scene.At
		}
		need("scene", at, n.Scene)
	}
	for _, c := range n.Cameras {
		var at robot.Time
		if f, seen := o.Frame(c.Name); seen {
			at = f.At
		}
		need("camera "+c.Name, at, c.Age)
	}
	return errors.Join(errs...)
}
