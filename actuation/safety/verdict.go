package safety

import "github.com/kuai-robot/kuai/robot"

// Code is the reason for a verdict.
type Code uint8

const (
	// OK: a live source is followed as asked, or limited as Verdict.Limited says.
	OK Code = iota
	// NoSource: nobody asks for a motion.
	NoSource
	// SourceSilent: the source sent nothing within its expiry.
	SourceSilent
	// SourceExpired: the source's own expiry has passed.
	SourceExpired
	// SourceOutdated: what the source acts on was observed too long ago.
	SourceOutdated
	// SourceBeforeReset: the target was issued before the reset.
	SourceBeforeReset
	// SourceAhead: the target carries a time that has not come.
	SourceAhead
	// Engaging: torque has come on; motion starts with the next tick.
	Engaging
	// BackingOff: a stalled joint gives way before anything else moves.
	BackingOff
	// Late: the tick came so late that motion starts again from rest.
	Late
	// ReleaseAsked: torque off was asked for.
	ReleaseAsked
	// StopAsked: a stop was asked for.
	StopAsked
	// AfterRestart: the program came up after an unclean end.
	AfterRestart
	// NoState: no joint state has come yet.
	NoState
	// StateStale: the newest joint state is too old.
	StateStale
	// StateAhead: the joint state carries a time that has not come.
	StateAhead
	// StateInvalid: a joint reports what is not a finite number.
	StateInvalid
	// ClockBack: the clock went back.
	ClockBack
	// OutsideLimits: a joint is farther outside its position limits than it may
	// be brought back by itself.
	OutsideLimits
	// TooHot: a joint reached its maximum temperature.
	TooHot
	// Overheated: a joint went on heating and was released.
	Overheated
	// Stalled: a joint stayed or came back stalled after it was backed off, and
	// was released.
	Stalled
	// TargetInvalid: a target is not a finite number.
	TargetInvalid
	// Contact: a motion could not brake before its clearance ended.
	Contact
	codes
)

// String gives the reason in words for a person. It never allocates.
func (c Code) String() string {
	if c < codes {
		return reasons[c]
	}
	return "unknown reason"
}

var reasons = [codes]string{
	OK:                "moving as asked",
	NoSource:          "nobody asks for a motion",
	SourceSilent:      "the source fell silent",
	SourceExpired:     "the source's motion has expired",
	SourceOutdated:    "the source acts on an observation that is too old",
	SourceBeforeReset: "the motion was asked for before the reset (ask again)",
	SourceAhead:       "the source's time lies in the future (compare the clocks)",
	Engaging:          "torque has come on; motion starts with the next tick",
	BackingOff:        "a joint is stalled and backs off",
	Late:              "the control tick came too late; starting again from rest",
	ReleaseAsked:      "torque off was asked for",
	StopAsked:         "a stop was asked for (reset to move again)",
	AfterRestart:      "the program started after an unclean end (reset to move)",
	NoState:           "no joint state has come yet (is the driver connected?)",
	StateStale:        "the joint state is too old (look at the driver's cable or link, then reset)",
	StateAhead:        "the joint state's time lies in the future (compare the clocks, then reset)",
	StateInvalid:      "a joint reports what is not a number (look at its sensor, then reset)",
	ClockBack:         "the clock went back (reset to move again)",
	OutsideLimits:     "a joint is outside its position limits (release, move it back by hand, then reset)",
	TooHot:            "a joint is at its maximum temperature (let it cool, then reset)",
	Overheated:        "a joint overheated and the torque was cut (let it cool, then reset)",
	Stalled:           "a joint is blocked and the torque was cut (clear the way, then reset)",
	TargetInvalid:     "the motion asked for is not a number (mend the source, then reset)",
	Contact:           "the motion could not brake before a collision (reset to move again)",
}

// Limit is a set of limits that changed the command of this tick.
type Limit uint8

const (
	// LimitPosition: the target was outside the position limits.
	LimitPosition Limit = 1 << iota
	// LimitVelocity: the motion asked for was too fast.
	LimitVelocity
	// LimitAcceleration: it changed speed too quickly.
	LimitAcceleration
	// LimitDerated: effort, temperature, the source's share or the ramp after a
	// reset cut the speed.
	LimitDerated
	// LimitCollision: two parts of the robot would come too near.
	LimitCollision
	// LimitWorkspace: a part of the robot would leave the workspace.
	LimitWorkspace
)

// Verdict says what Step decided and why.
type Verdict struct {
	Mode Mode
	// Code is why the robot is in Mode; while latched, the first cause.
	Code Code
	// Joint is the joint that Code is about, or -1.
	Joint int
	// Source is who moves the robot; SourceNone when nobody does.
	Source robot.Source
	// Limited lists the limits that changed the command.
	Limited Limit
	// Health is what is wrong with the robot now, whatever the mode: a reset is
	// refused until it is OK. HealthJoint is the joint it is about, or -1.
	Health      Code
	HealthJoint int
}
