package safety

import "github.com/kuai-robot/kuai/robot"

// Core is what Step remembers from tick to tick. The zero Core is off.
type Core struct {
	mode    Mode
	cause   Code // why it is latched
	joint   int  // the joint that cause is about, or -1
	enabled bool // torque is on
	// at is the last tick, resetAt the last reset; zero: never.
	at, resetAt robot.Time
	// position and velocity are what was commanded last.
	position, velocity robot.Joints
	stall              [robot.MaxJoints]stall
}

// stall is what is known of one joint that may be blocked.
type stall struct {
	// since is when high effort at rest was seen first, backedOff when the
	// joint began to give way last; zero: never.
	since, backedOff robot.Time
	tries            int
}

// Restarted gives the Core of a program that comes up after an unclean end:
// stopped, torque off, until a reset.
func Restarted() Core { return Core{mode: Stopped, cause: AfterRestart, joint: -1} }

// Mode gives the mode after the last tick.
func (c *Core) Mode() Mode { return c.mode }

// Commanded gives the position and velocity of the last command: where a new
// motion has to begin if it is to be smooth.
func (c *Core) Commanded() (position, velocity robot.Joints) { return c.position, c.velocity }

// Input is what one tick has to go on.
type Input struct {
	// State is the newest joint state; At is zero before the first.
	State robot.State
	// Stop, Reset and Release are asked for in this tick. Release keeps the
	// torque off for as long as it is set.
	Stop, Reset, Release bool
	// Targets is what each source wants, by robot.Source.
	Targets [robot.Sources]Target
}

// Target is where one source wants the joints to be at this tick.
type Target struct {
	// Issued is when the source's newest message came; zero: it has none.
	Issued robot.Time
	// ObservedAt is the capture time of the oldest sample it was computed from.
	ObservedAt robot.Time
	// Expires is when it ends in any case; zero: it has ended.
	Expires robot.Time
	// Position is wanted of every joint but wheels, Velocity of wheels; for the
	// others Velocity is how fast Position changes.
	Position, Velocity robot.Joints
	// ByVelocity: Position does not count, every joint follows Velocity.
	ByVelocity bool
}
