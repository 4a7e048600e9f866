// Package gobot drives a robot's joints through Gobot (gobot.io/x/gobot/v2):
// hobby servos, motors behind an H-bridge and anything else that PWM moves, on
// Firmata boards (serial or TCP), on the headers of a Jetson or Raspberry Pi,
// or on any Gobot adaptor that a program brings along. Which joint hangs on
// which pin, and what a pulse means in radians, is a YAML file (Read): a robot
// is configuration, not Go code.
//
// # What is known of the joints
//
// These servos are open loop: nothing reports where they are. The position in
// the state is therefore the commanded position, the velocity its change, and
// a wheel's position the integral of its commanded velocity; effort and
// temperature are 0. Before the first command it is the description's home.
// Safety rules that need a measurement (stall, overload, overheating) cannot
// see these joints, and a servo that was limp jumps to the first position it is
// told, at its own speed.
//
// # Goroutines and failure
//
// Read and Write never touch a device: Write leaves the command in a mailbox,
// and a worker for each board takes the newest. The worker owns the Gobot
// adaptor; it connects in the background, and after a failure connects again,
// for ever, with a pause of a second that doubles up to Config.Retry. While a
// board is not there, both calls give an error that says which and why: for at
// least that second, so that the control loop faults and waits for a reset.
// The session goes on.
//
// # Dead-man
//
// The worker sends only in answer to a Write: when the control loop falls
// silent, so does the link, and the firmware (firmware/arduino) stops the
// outputs 500 ms later. A board that does not answer within 300 ms while it is
// written to, or that says that it has stopped by itself, has failed.
// The worker itself releases the outputs when no Write came for 400 ms; on
// boards without a dead-man (StandardFirmata, headers) that is all there is,
// and it covers a hung control loop but no crash of the whole program.
package gobot
