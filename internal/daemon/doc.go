// Package daemon is the wiring: what a robot is made of, in the order in which
// data walks. New reads as that list; nothing here decides how a robot moves.
//
// The way of one camera frame and one instruction to a motor command:
//
//	sim.go      a picture is rendered (or a camera takes one) and served as RTSP
//	cameras.go  perception/camera receives it, stamped with its time of capture
//	body.go     Observe joins the newest pictures, joints and scene
//	inbox.go    a message on a topic becomes a job of the worker
//	mind.go     policy/agent decides by policy/saycan, which asks fusion/generate
//	body.go     Act hands the chunk of the running skill to actuation/control
//	daemon.go   the control loop asks actuation/safety and writes to the driver
//
// Daemon is the robot in real time: each stage is a goroutine of a group that
// ends together, and between two stages lies a mailbox or a bounded queue. A
// stage that fails ends the daemon, which stops the robot first. Lab is the same
// robot without goroutines, in lockstep with the simulator: kuai eval runs
// episodes in it. Bench measures.
//
// A stop takes a way of its own: its link's goroutine calls Loop.Stop, which
// shares no lock with anything here; what a stop entails beside the motors
// follows on another goroutine.
package daemon
