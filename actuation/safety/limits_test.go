package safety

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

func TestCompileRefuses(t *testing.T) {
	for want, breakIt := range map[string]func(*robot.Description, *Config){
		"robot has no name":         func(d *robot.Description, _ *Config) { d.Name = "" },
		"policy.expiry":             func(_ *robot.Description, c *Config) { c.Policy.Expiry = 0 },
		"skill.max_age":             func(_ *robot.Description, c *Config) { c.Skill.MaxAge = 0 },
		"teleop.speed":              func(_ *robot.Description, c *Config) { c.Teleop.Speed = 0 },
		"policy.speed":              func(_ *robot.Description, c *Config) { c.Policy.Speed = 1.01 },
		"max_state_age":             func(_ *robot.Description, c *Config) { c.MaxStateAge = 0 },
		"max_tick":                  func(_ *robot.Description, c *Config) { c.MaxTick = 0 },
		"ramp must":                 func(_ *robot.Description, c *Config) { c.Ramp = -1 },
		"ramp_floor":                func(_ *robot.Description, c *Config) { c.RampFloor = math.NaN() },
		"recovery":                  func(_ *robot.Description, c *Config) { c.Recovery = -0.1 },
		"derate_band":               func(_ *robot.Description, c *Config) { c.DerateBand = 0 },
		"derate_band must":          func(_ *robot.Description, c *Config) { c.DerateBand = math.Inf(1) },
		"release_above":             func(_ *robot.Description, c *Config) { c.ReleaseAbove = -1 },
		"stall_effort":              func(_ *robot.Description, c *Config) { c.StallEffort = 0 },
		"stall_effort must":         func(_ *robot.Description, c *Config) { c.StallEffort = 2 },
		"stall_velocity":            func(_ *robot.Description, c *Config) { c.StallVelocity = 2 },
		"stall_time":                func(_ *robot.Description, c *Config) { c.StallTime = 0 },
		"back_off must":             func(_ *robot.Description, c *Config) { c.BackOff = c.StallTime },
		"stall_tries":               func(_ *robot.Description, c *Config) { c.StallTries = 0 },
		"stall_forget must":         func(_ *robot.Description, c *Config) { c.StallForget = c.BackOff },
		"clearance must":            func(_ *robot.Description, c *Config) { c.Clearance = -1 },
		"clearance must be":         func(_ *robot.Description, c *Config) { c.Clearance = math.Inf(1) },
		"at most 32":                func(d *robot.Description, _ *Config) { d.Capsules = make33(d.Capsules[0]) },
		"workspace_min":             func(d *robot.Description, _ *Config) { d.WorkspaceMin[1] = 0.5 },
		"leaves the workspace":      func(d *robot.Description, _ *Config) { d.WorkspaceMin[2] = 0.3 },
		"nearer than":               func(d *robot.Description, _ *Config) { d.Capsules[0].Radius = 0.2 },
		"capsules 0 () and 2 (elbo": func(d *robot.Description, _ *Config) { d.Capsules[0].Radius = 0.2 },
		"capsule 2 (elbow_flex) le": func(d *robot.Description, _ *Config) { d.WorkspaceMax[0] = 0.2 },
	} {
		d, c := testArm(), DefaultConfig()
		breakIt(d, &c)
		if _, err := Compile(d, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Compile gave %v, want an error with %q", err, want)
		}
	}
	bad := Config{}
	if _, err := Compile(testArm(), bad); !errors.Is(err, ErrConfig) || strings.Count(err.Error(), "must") < 14 {
		t.Errorf("the zero Config gave %v, want every field that is wrong", err)
	}
}

func make33(c robot.Capsule) []robot.Capsule {
	out := make([]robot.Capsule, 33)
	for i := range out {
		out[i] = c
	}
	return out
}

func TestDefaults(t *testing.T) {
	want := Config{
		Policy:      Rule{300 * time.Millisecond, time.Second, 1},
		Skill:       Rule{300 * time.Millisecond, time.Second, 1},
		Teleop:      Rule{200 * time.Millisecond, 300 * time.Millisecond, 1},
		MaxStateAge: 100 * time.Millisecond, MaxTick: 50 * time.Millisecond,
		Ramp: 2 * time.Second, RampFloor: 0.1, Recovery: 0.05, DerateBand: 10, ReleaseAbove: 5,
		StallEffort: 0.95, StallVelocity: 0.02, StallTime: 500 * time.Millisecond, BackOff: time.Second,
		StallTries: 3, StallForget: 10 * time.Second, Clearance: 0.01,
	}
	if got := DefaultConfig(); got != want {
		t.Errorf("DefaultConfig = %+v, want %+v", got, want)
	}
	want.Skill.Speed, want.Policy.Speed, want.Teleop.Speed = 0.2, 0.3, 0.4
	l, err := Compile(testArm(), want)
	if err != nil {
		t.Fatal(err)
	}
	if l.rules != [robot.Sources]Rule{{}, want.Policy, want.Skill, want.Teleop} {
		t.Errorf("rules %v", l.rules)
	}
}

func TestCompileAccepts(t *testing.T) {
	for name, change := range map[string]func(*robot.Description, *Config){
		"defaults": func(*robot.Description, *Config) {},
		"edges": func(_ *robot.Description, c *Config) {
			c.Ramp, c.RampFloor, c.Recovery, c.ReleaseAbove, c.StallVelocity, c.StallEffort, c.Clearance = 0, 1, 0, 0, 0, 1, 0
			c.Policy = Rule{Expiry: 1, MaxAge: 1, Speed: 1}
			c.MaxStateAge, c.MaxTick, c.StallTime, c.BackOff, c.StallForget, c.StallTries, c.DerateBand = 1, 1, 1, 2, 3, 1, 1e-9
		},
		"no workspace": func(d *robot.Description, _ *Config) {
			d.WorkspaceMin, d.WorkspaceMax = robot.Vec3{}, robot.Vec3{}
		},
		"32 capsules": func(d *robot.Description, _ *Config) { d.Capsules = make33(d.Capsules[0])[:32] },
	} {
		d, c := testArm(), DefaultConfig()
		change(d, &c)
		if _, err := Compile(d, c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCompileKeepsNothingOfItsArguments(t *testing.T) {
	d := testArm()
	l, err := Compile(d, DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	d.Joints[0].Name, d.Joints[1].Limits.MaxVelocity, d.Capsules[0].Radius = "x", 99, 9
	if v, a := l.Motion(1); l.Joint(0) != "shoulder_pan" || v != 2 || a != 10 || l.desc.Capsules[0].Radius != 0.04 {
		t.Error("a change of the description after Compile shows in the limits")
	}
}

func TestWorstStop(t *testing.T) {
	d, c := testArm(), DefaultConfig()
	d.Joints[3].Limits.MaxAcceleration = 8 // 0.25 s from 2 rad/s
	c.Skill.Expiry = 250 * time.Millisecond
	l, err := Compile(d, c)
	if err != nil {
		t.Fatal(err)
	}
	if got := l.WorstStop(); got != 550*time.Millisecond {
		t.Errorf("WorstStop = %v, want 300 ms + 250 ms", got)
	}
	if l.Joints() != 6 || l.MaxTick() != 50*time.Millisecond || l.Wheel(0) {
		t.Errorf("Joints %d, MaxTick %v, Wheel %v", l.Joints(), l.MaxTick(), l.Wheel(0))
	}
	d.Joints[5].Kind = robot.Wheel
	if l, err = Compile(d, c); err != nil || !l.Wheel(5) {
		t.Errorf("Wheel(5) = false, %v", err)
	}
}
