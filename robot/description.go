package robot

import (
	"errors"
	"fmt"
	"math"
)

// MaxJoints bounds the joints of one robot, so that State and Command are
// plain values.
const MaxJoints = 32

// Joints holds one number for each joint, in the order of Description.Joints;
// entries past the last joint are zero.
type Joints [MaxJoints]float64

// JointKind says what a joint's numbers mean.
type JointKind string

const (
	// Revolute turns about its axis: rad, rad/s, N·m; commanded by position.
	Revolute JointKind = "revolute"
	// Prismatic slides along its axis: m, m/s, N; commanded by position.
	Prismatic JointKind = "prismatic"
	// Wheel turns without end: commanded by velocity, its position is odometry.
	Wheel JointKind = "wheel"
)

// Limits of one joint, in its units. Every one is required: a robot whose
// limits are unknown does not move.
type Limits struct {
	// MinPosition and MaxPosition bound the position; a Wheel has none.
	MinPosition float64 `json:"min_position" yaml:"min_position"`
	MaxPosition float64 `json:"max_position" yaml:"max_position"`
	// MaxVelocity and MaxAcceleration bound what is commanded.
	MaxVelocity     float64 `json:"max_velocity" yaml:"max_velocity"`
	MaxAcceleration float64 `json:"max_acceleration" yaml:"max_acceleration"`
	// MaxEffort is what the joint may exert without pause.
	MaxEffort float64 `json:"max_effort" yaml:"max_effort"`
	// MaxTemperature in °C is where the joint must rest.
	MaxTemperature float64 `json:"max_temperature" yaml:"max_temperature"`
}

// Joint is one actuated degree of freedom and where it sits in the chain.
type Joint struct {
	Name   string    `json:"name" yaml:"name"`
	Kind   JointKind `json:"kind" yaml:"kind"`
	Limits Limits    `json:"limits" yaml:"limits"`
	// Parent is the name of the joint whose link carries this one; empty: the base.
	Parent string `json:"parent,omitempty" yaml:"parent,omitempty"`
	// Origin is the joint's frame at position 0, in the parent link's frame.
	Origin Pose `json:"origin" yaml:"origin"`
	// Axis of length 1 in the joint's frame.
	Axis Vec3 `json:"axis" yaml:"axis"`
	// Home is the resting position.
	Home float64 `json:"home" yaml:"home"`
}

// Capsule is a swept sphere fixed to a link: the shape that self-collision and
// workspace limits are checked with.
type Capsule struct {
	// Link is the joint whose link carries the capsule; empty: the base.
	Link string `json:"link,omitempty" yaml:"link,omitempty"`
	// A and B are the ends of its axis in the link's frame, m.
	A Vec3 `json:"a" yaml:"a"`
	B Vec3 `json:"b" yaml:"b"`
	// Radius in m.
	Radius float64 `json:"radius" yaml:"radius"`
}

// Description is what a robot is made of: the one file a user writes to bring
// a new robot.
type Description struct {
	Name   string  `json:"name" yaml:"name"`
	Joints []Joint `json:"joints" yaml:"joints"`
	// Gripper names the joint that closes the hand; empty when there is none.
	Gripper string `json:"gripper,omitempty" yaml:"gripper,omitempty"`
	// ToolLink names the joint whose link carries the tool; Tool is the point
	// between the fingertips in that link's frame.
	ToolLink string `json:"tool_link,omitempty" yaml:"tool_link,omitempty"`
	Tool     Pose   `json:"tool" yaml:"tool"`
	// Capsules cover the moving parts.
	Capsules []Capsule `json:"capsules,omitempty" yaml:"capsules,omitempty"`
	// Workspace is the box in the base frame that every capsule must stay in;
	// both corners zero: no such limit.
	WorkspaceMin Vec3 `json:"workspace_min" yaml:"workspace_min"`
	WorkspaceMax Vec3 `json:"workspace_max" yaml:"workspace_max"`
}

// Index gives the index of the joint called name, or -1.
func (d *Description) Index(name string) int {
	for i := range d.Joints {
		if d.Joints[i].Name == name {
			return i
		}
	}
	return -1
}

// Home gives the resting position of every joint.
func (d *Description) Home() Joints {
	var q Joints
	for i := range d.Joints {
		q[i] = d.Joints[i].Home
	}
	return q
}

// Validate says everything that is wrong with d, or nil. Limits that
// contradict each other, unknown parents, and axes that are not of length 1
// are errors: nothing may move on a guess.
func (d *Description) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if d.Name == "" {
		bad("robot has no name")
	}
	if len(d.Joints) == 0 || len(d.Joints) > MaxJoints {
		bad("robot %s has %d joints, want 1 to %d", d.Name, len(d.Joints), MaxJoints)
	}
	for i := range d.Joints {
		j := &d.Joints[i]
		if j.Name == "" || d.Index(j.Name) != i {
			bad("joint %d (%q): the name is empty or used twice", i, j.Name)
		}
		if j.Parent != "" {
			if p := d.Index(j.Parent); p < 0 || p >= i {
				bad("joint %s: parent %q is not a joint before it", j.Name, j.Parent)
			}
		}
		if err := j.validate(); err != nil {
			bad("joint %s: %w", j.Name, err)
		}
	}
	for _, link := range []string{d.Gripper, d.ToolLink} {
		if link != "" && d.Index(link) < 0 {
			bad("robot %s: no joint is called %q", d.Name, link)
		}
	}
	for i, c := range d.Capsules {
		if c.Link != "" && d.Index(c.Link) < 0 {
			bad("capsule %d: no joint is called %q", i, c.Link)
		}
		if !(c.Radius > 0) || !sensible(c.Radius) || !sensible(c.A[:]...) || !sensible(c.B[:]...) {
			bad("capsule %d: needs a radius above 0 and ends, none beyond %g m", i, largest)
		}
	}
	if !sensible(d.WorkspaceMin[:]...) || !sensible(d.WorkspaceMax[:]...) {
		bad("robot %s: workspace %v to %v goes beyond %g m", d.Name, d.WorkspaceMin, d.WorkspaceMax, largest)
	}
	return errors.Join(errs...)
}

func (j *Joint) validate() error {
	l := j.Limits
	switch {
	case j.Kind != Revolute && j.Kind != Prismatic && j.Kind != Wheel:
		return fmt.Errorf("kind %q is not revolute, prismatic or wheel", j.Kind)
	case !sensible(l.MinPosition, l.MaxPosition, l.MaxVelocity, l.MaxAcceleration, l.MaxEffort, l.MaxTemperature, j.Home):
		return fmt.Errorf("a limit is not a number from -%g to %g", largest, largest)
	case j.Kind != Wheel && !(l.MinPosition < l.MaxPosition):
		return fmt.Errorf("min_position %g is not below max_position %g", l.MinPosition, l.MaxPosition)
	case j.Kind != Wheel && (j.Home < l.MinPosition || j.Home > l.MaxPosition):
		return fmt.Errorf("home %g is outside [%g, %g]", j.Home, l.MinPosition, l.MaxPosition)
	case !(l.MaxVelocity > 0) || !(l.MaxAcceleration > 0) || !(l.MaxEffort > 0) || !(l.MaxTemperature > 0):
		return errors.New("max_velocity, max_acceleration, max_effort and max_temperature must be above 0")
	case l.MaxVelocity < least || l.MaxAcceleration < least || l.MaxEffort < least:
		return fmt.Errorf("max_velocity, max_acceleration and max_effort must be %g at least", least)
	case math.Abs(j.Axis.Norm()-1) > 1e-6:
		return fmt.Errorf("axis %v has length %.3g, want 1", j.Axis, j.Axis.Norm())
	case !sensible(j.Origin.Position[:]...) || math.Abs(j.Origin.Orientation.norm()-1) > 1e-6:
		return errors.New("origin needs a finite position and a unit quaternion (w x y z)")
	}
	return nil
}

// What a description may say of a joint or a body, in SI units: whatever is
// computed from such numbers stays a number.
const (
	largest = 1e6
	least   = 1e-6
)

// sensible says that each v is a number of a size that machines have.
func sensible(vs ...float64) bool {
	for _, v := range vs {
		if !(math.Abs(v) <= largest) {
			return false
		}
	}
	return true
}
