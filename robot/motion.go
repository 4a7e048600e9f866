package robot

import "time"

// State is what the joints report at one instant.
type State struct {
	// At is when the joints were read.
	At          Time
	Position    Joints // rad or m
	Velocity    Joints // rad/s or m/s
	Effort      Joints // N·m or N, as measured or estimated by the driver
	Temperature Joints // °C; 0 where the driver does not know
}

// Source says who wants a motion. The order is the order of precedence.
type Source uint8

const (
	// SourceNone is nobody: the robot holds.
	SourceNone Source = iota
	// SourcePolicy is a chunk of a skill that the planner chose.
	SourcePolicy
	// SourceSkill is a chunk of a skill that a person asked for by name.
	SourceSkill
	// SourceTeleop is a person steering.
	SourceTeleop
	// Sources is how many there are, for tables indexed by Source.
	Sources
)

// String names the source as topics and metrics spell it.
func (s Source) String() string {
	switch s {
	case SourcePolicy:
		return "policy"
	case SourceSkill:
		return "skill"
	case SourceTeleop:
		return "teleop"
	}
	return "none"
}

// Command is what a driver is given at one control tick, after the safety core.
type Command struct {
	// At is the tick.
	At Time
	// Enable is false when the joints must be limp (torque off).
	Enable bool
	// Position is the target of revolute and prismatic joints, rad or m.
	Position Joints
	// Velocity is the target of wheels and the feed-forward of the others.
	Velocity Joints
}

// Chunk is a short stretch of intended motion: the action chunk of ACT
// (arXiv 2304.13705), a trajectory of joint targets at a fixed step.
type Chunk struct {
	// ID grows with every chunk of one source.
	ID     uint64
	Source Source
	// ObservedAt is the capture time of the oldest sample that the chunk was
	// computed from.
	ObservedAt Time
	// Start is the instant of Actions[0]; Actions[i] is due at Start + i·Step.
	Start Time
	Step  time.Duration
	// Actions are joint targets: positions, or velocities for wheels. The
	// consumer keeps the chunk; the producer never writes it again.
	Actions []Joints
	// Expires is when the chunk stops being a live source even if Actions
	// reach further.
	Expires Time
}

// End is the instant of the last action.
func (c *Chunk) End() Time {
	if len(c.Actions) == 0 {
		return c.Start
	}
	return c.Start.Add(time.Duration(len(c.Actions)-1) * c.Step)
}
