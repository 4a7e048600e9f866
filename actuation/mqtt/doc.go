// Package mqtt drives joints that are themselves MQTT devices: each is told its
// target on kuai/v1/<robot>/actuator/<joint>/command and reports itself on
// …/state (package internal/topics has the payloads).
//
// The driver knows no broker. It publishes through a Publisher that must not
// block, and whoever subscribes hands every message to Receive, from any
// goroutine. Read and Write are those of control.Driver.
//
// Each device also publishes, retained, a description of itself: its kind, its
// limits, how often it reports, after how long without a command it stops. Hand
// those to Describe. A joint without one, or whose device cannot do what the
// robot's description allows, is not driven: Read is an error that names every
// contradiction, which is a fault of the robot.
//
// A state is taken only if it is one: strictly decoded, every number within
// reason, its sequence number above that of the one before and its time not
// before. What was held up on the way, sent twice, or comes from a clock that is
// more than Config.MaxSkew off is refused with an error that says so, and counts
// for nothing. A device that starts again may count from anew once it was silent
// for Config.Restart.
//
// The state of the robot is as old as that of the joint that reported longest
// ago, so one silent device makes it stale and the safety core stops the robot.
// Until every joint has reported once, Read is an error.
//
// A command is published when it differs from the one before, and every
// Config.KeepAlive besides, for the device's own dead-man: a device must stop by
// itself when no command comes for 500 ms, and must ignore one whose sequence
// number is not above the last or whose time is older than that. Commands are
// never retained, so none moves a device that connects later.
//
// Instants on the wire are seconds since the Unix epoch; they become robot.Time
// by the clock's Epoch.
package mqtt
