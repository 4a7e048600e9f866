package safety

import (
	"errors"
	"fmt"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// Rule bounds one source.
type Rule struct {
	// Expiry is how long after its newest message the source counts as live.
	Expiry time.Duration `yaml:"expiry"`
	// MaxAge is how old the observation that a target was computed from may be.
	MaxAge time.Duration `yaml:"max_age"`
	// Speed is the share of each joint's maximum velocity the source may use, 0 to 1.
	Speed float64 `yaml:"speed"`
}

// Config is what safety needs to know beyond the robot's description.
type Config struct {
	// Policy, Skill and Teleop are the rules of the three sources.
	Policy Rule `yaml:"policy"`
	Skill  Rule `yaml:"skill"`
	Teleop Rule `yaml:"teleop"`
	// MaxStateAge is how old the newest joint state may be.
	MaxStateAge time.Duration `yaml:"max_state_age"`
	// MaxTick is the longest time between two ticks over which motion goes on;
	// after a longer one it starts again from rest.
	MaxTick time.Duration `yaml:"max_tick"`
	// Ramp is how long after a reset full speed is reached, linearly from
	// RampFloor (a share of full speed).
	Ramp      time.Duration `yaml:"ramp"`
	RampFloor float64       `yaml:"ramp_floor"`
	// Recovery is the share of a joint's range by which it may lie outside its
	// limits and still come back by itself, and by which it may have strayed
	// from its command without that being given up by a reset.
	Recovery float64 `yaml:"recovery"`
	// DerateBand is how far below its maximum temperature a joint begins to
	// slow down, °C; ReleaseAbove how far above it the torque is cut.
	DerateBand   float64 `yaml:"derate_band"`
	ReleaseAbove float64 `yaml:"release_above"`
	// A joint is stalled when for StallTime its effort is at least StallEffort
	// (a share of its maximum) and its speed at most StallVelocity (likewise).
	// It then gives way, its command is set to where it is, and nothing follows a
	// source for BackOff. The torque is cut when that does not help, or when it is needed more than StallTries times with less than
	// StallForget between.
	StallEffort   float64       `yaml:"stall_effort"`
	StallVelocity float64       `yaml:"stall_velocity"`
	StallTime     time.Duration `yaml:"stall_time"`
	BackOff       time.Duration `yaml:"back_off"`
	StallTries    int           `yaml:"stall_tries"`
	StallForget   time.Duration `yaml:"stall_forget"`
	// Clearance is the least distance between two capsules, m. The sides of the
	// workspace need none: a capsule may come as near as a millimetre.
	Clearance float64 `yaml:"clearance"`
	// StopLimp cuts the torque on a stop instead of holding the position.
	StopLimp bool `yaml:"stop_limp"`
}

// DefaultConfig gives values that suit a small arm at 100 Hz and keep the
// time from a silent source to rest under 500 ms where a joint can brake from
// full speed within 200 ms.
func DefaultConfig() Config {
	return Config{
		Policy:        Rule{Expiry: 300 * time.Millisecond, MaxAge: time.Second, Speed: 1},
		Skill:         Rule{Expiry: 300 * time.Millisecond, MaxAge: time.Second, Speed: 1},
		Teleop:        Rule{Expiry: 200 * time.Millisecond, MaxAge: 300 * time.Millisecond, Speed: 1},
		MaxStateAge:   100 * time.Millisecond,
		MaxTick:       50 * time.Millisecond,
		Ramp:          2 * time.Second,
		RampFloor:     0.1,
		Recovery:      0.05,
		DerateBand:    10,
		ReleaseAbove:  5,
		StallEffort:   0.95,
		StallVelocity: 0.02,
		StallTime:     500 * time.Millisecond,
		BackOff:       time.Second,
		StallTries:    3,
		StallForget:   10 * time.Second,
		Clearance:     0.01,
	}
}

// Limits is a description and a configuration made ready for Step. It is never
// written after Compile, so any number of goroutines may share it.
type Limits struct {
	desc    robot.Description
	config  Config
	rules   [robot.Sources]Rule
	gripper int
	shape   shape
}

// Compile checks d and c and makes them ready; the error names everything that
// is wrong.
func Compile(d *robot.Description, c Config) (*Limits, error) {
	if err := errors.Join(d.Validate(), c.validate()); err != nil {
		return nil, fmt.Errorf("safety limits of robot %s: %w", d.Name, err)
	}
	l := &Limits{desc: *d, config: c, gripper: d.Index(d.Gripper)}
	l.desc.Joints = append([]robot.Joint(nil), d.Joints...)
	l.desc.Capsules = append([]robot.Capsule(nil), d.Capsules...)
	l.rules[robot.SourcePolicy] = c.Policy
	l.rules[robot.SourceSkill] = c.Skill
	l.rules[robot.SourceTeleop] = c.Teleop
	shape, err := newShape(&l.desc, c.Clearance)
	if err != nil {
		return nil, fmt.Errorf("safety limits of robot %s: %w", d.Name, err)
	}
	l.shape = shape
	return l, nil
}

// Joints gives the number of joints.
func (l *Limits) Joints() int { return len(l.desc.Joints) }

// WorstStop gives the longest time from the last message of a source to rest:
// its expiry and the time the slowest joint takes to brake from full speed.
func (l *Limits) WorstStop() time.Duration {
	var brake float64
	for i := range l.desc.Joints {
		limits := &l.desc.Joints[i].Limits
		brake = max(brake, limits.MaxVelocity/limits.MaxAcceleration)
	}
	var expiry time.Duration
	for _, r := range l.rules {
		expiry = max(expiry, r.Expiry)
	}
	return expiry + time.Duration(brake*float64(time.Second))
}

// ErrConfig is wrapped by every error about a Config.
var ErrConfig = errors.New("safety configuration")

func (c *Config) validate() error {
	var errs []error
	require := func(ok bool, what string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%w: %s", ErrConfig, what))
		}
	}
	for _, r := range []struct {
		name string
		Rule
	}{{"policy", c.Policy}, {"skill", c.Skill}, {"teleop", c.Teleop}} {
		require(r.Expiry > 0, r.name+".expiry must be above 0")
		require(r.MaxAge > 0, r.name+".max_age must be above 0")
		require(share(r.Speed) && r.Speed > 0, r.name+".speed must be above 0 and at most 1")
	}
	require(c.MaxStateAge > 0, "max_state_age must be above 0")
	require(c.MaxTick > 0, "max_tick must be above 0")
	require(c.Ramp >= 0, "ramp must not be negative")
	require(share(c.RampFloor), "ramp_floor must be 0 to 1")
	require(share(c.Recovery), "recovery must be 0 to 1")
	require(c.DerateBand > 0 && finite(c.DerateBand), "derate_band must be above 0 °C")
	require(c.ReleaseAbove >= 0, "release_above must not be negative")
	require(share(c.StallEffort) && c.StallEffort > 0, "stall_effort must be above 0 and at most 1")
	require(share(c.StallVelocity), "stall_velocity must be 0 to 1")
	require(c.StallTime > 0, "stall_time must be above 0")
	require(c.BackOff > c.StallTime, "back_off must be longer than stall_time")
	require(c.StallTries > 0, "stall_tries must be above 0")
	require(c.StallForget > c.BackOff, "stall_forget must be longer than back_off")
	require(c.Clearance >= 0 && finite(c.Clearance), "clearance must be a number of metres, 0 or more")
	return errors.Join(errs...)
}

func share(v float64) bool { return v >= 0 && v <= 1 }

// Joint gives the name of joint i.
func (l *Limits) Joint(i int) string { return l.desc.Joints[i].Name }

// Wheel says whether joint i turns without end.
func (l *Limits) Wheel(i int) bool { return l.desc.Joints[i].Kind == robot.Wheel }

// Motion gives the maximum velocity and acceleration of joint i.
func (l *Limits) Motion(i int) (velocity, acceleration float64) {
	limits := &l.desc.Joints[i].Limits
	return limits.MaxVelocity, limits.MaxAcceleration
}

// MaxTick is the longest time between two ticks over which motion goes on.
func (l *Limits) MaxTick() time.Duration { return l.config.MaxTick }
