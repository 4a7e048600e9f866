package gobot

import "time"

// Kinds of outputs.
const (
	// KindServo is pulses every 20 ms whose width is the joint's position, or
	// the speed of a servo that turns without end.
	KindServo = "servo"
	// KindPWM is a duty that is the joint's position or speed.
	KindPWM = "pwm"
	// KindMotor is a duty that is a wheel's speed and a pin that is its
	// direction.
	KindMotor = "motor"
)

// Adaptors that are built in.
const (
	AdaptorFirmata = "firmata"
	AdaptorJetson  = "jetson"
	AdaptorRaspi   = "raspi"
)

// Config says what hangs where.
type Config struct {
	// Boards that the joints hang on.
	Boards []Board `yaml:"boards"`
	// Joints are all joints of the robot's description.
	Joints []Joint `yaml:"joints"`
	// Retry is the longest pause between two tries to connect, at least 1 s;
	// default 2 s.
	Retry time.Duration `yaml:"retry"`
}

// Board is one thing that has pins.
type Board struct {
	// Name is what joints and errors call it.
	Name string `yaml:"name"`
	// Adaptor is firmata, jetson, raspi, or one that the program brings along.
	Adaptor string `yaml:"adaptor"`
	// Port of a Firmata board: a device such as /dev/ttyACM0, or tcp://HOST:PORT.
	Port string `yaml:"port"`
	// Baud rate of a serial Firmata board; default 57600.
	Baud int `yaml:"baud"`
}

// Joint is a joint and the pin that moves it. The output lies on the straight
// line through (AtMin, least) and (AtMax, greatest), where least and greatest
// are a pulse, an angle or a duty.
type Joint struct {
	// Name is the joint's in the robot's description.
	Name string `yaml:"name"`
	// Board may be left out where there is only one.
	Board string `yaml:"board"`
	// Kind is servo, pwm or motor.
	Kind string `yaml:"kind"`
	// Pin as the adaptor calls it: "9" of an Arduino, "33" of a Jetson's header.
	Pin string `yaml:"pin"`
	// DirectionPin of a motor is low forward and high backward.
	DirectionPin string `yaml:"direction_pin"`
	// MinPulse and MaxPulse of a servo, in µs; default 544 and 2400.
	MinPulse float64 `yaml:"min_pulse"`
	MaxPulse float64 `yaml:"max_pulse"`
	// MinAngle and MaxAngle of a servo in place of pulses, in the degrees of
	// Gobot's ServoWrite, 0 to 180 in whole steps: for adaptors that know no
	// pulses.
	MinAngle float64 `yaml:"min_angle"`
	MaxAngle float64 `yaml:"max_angle"`
	// MinDuty and MaxDuty of pwm and motor, 0 to 1; default 0 and 1. A motor
	// that is told to stand still has duty 0 whatever MinDuty.
	MinDuty float64 `yaml:"min_duty"`
	MaxDuty float64 `yaml:"max_duty"`
	// AtMin and AtMax are where the joint is (rad or m) at the least and at the
	// greatest output, or how fast a wheel turns (rad/s); default the limits of
	// the description, and for a wheel −max_velocity and max_velocity (servo)
	// or 0 and max_velocity (pwm, motor).
	AtMin *float64 `yaml:"at_min"`
	AtMax *float64 `yaml:"at_max"`
	// Inverted turns the joint the other way round: the least output is at
	// AtMax, or the motor runs backward when the wheel goes forward.
	Inverted bool `yaml:"inverted"`
}

// Defaults.
const (
	defaultBaud   = 57600
	defaultRetry  = 2 * time.Second
	shortestPulse = 500.0 // µs
	longestPulse  = 2500.0
	defaultMin    = 544.0
	defaultMax    = 2400.0
	fullAngle     = 180.0
)
