package safety

// Mode is what the robot is doing as far as safety is concerned.
type Mode uint8

const (
	// Off: torque off, nothing known to be wrong.
	Off Mode = iota
	// Held: torque on, at rest or braking to it; no source is live.
	Held
	// Moving: a live source is followed.
	Moving
	// Stopped: somebody asked for a stop; latched until a reset.
	Stopped
	// Fault: a check failed; latched until a reset.
	Fault
	modes
)

// String names the mode as topics spell it.
func (m Mode) String() string {
	if m < modes {
		return modeNames[m]
	}
	return "unknown"
}

var modeNames = [modes]string{"off", "held", "moving", "stopped", "fault"}

// event is what one tick brings, the strongest that applies.
type event uint8

const (
	evStop    event = iota // somebody asks for a stop
	evFault                // a check fails
	evReset                // somebody asks to leave Stopped or Fault
	evRelease              // torque off is asked for
	evMove                 // a source is live
	evRest                 // none is
	events
)

// transitions gives the mode after an event. Off never moves in one step: it
// becomes Held first, so that the command starts from where the joints are.
var transitions = [modes][events]Mode{
	Off:     {evStop: Stopped, evFault: Off, evReset: Off, evRelease: Off, evMove: Held, evRest: Held},
	Held:    {evStop: Stopped, evFault: Fault, evReset: Held, evRelease: Off, evMove: Moving, evRest: Held},
	Moving:  {evStop: Stopped, evFault: Fault, evReset: Held, evRelease: Off, evMove: Moving, evRest: Held},
	Stopped: {evStop: Stopped, evFault: Stopped, evReset: Held, evRelease: Stopped, evMove: Stopped, evRest: Stopped},
	Fault:   {evStop: Stopped, evFault: Fault, evReset: Held, evRelease: Fault, evMove: Fault, evRest: Fault},
}

// after applies the table; a mode that is not in it, which only a corrupted
// Core can have, is a stop.
func after(m Mode, e event) Mode {
	if m >= modes {
		return Stopped
	}
	return transitions[m][e]
}

// latched says whether only a reset ends the mode.
func (m Mode) latched() bool { return m == Stopped || m == Fault }
