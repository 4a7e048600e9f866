package gobot

import (
	"math"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/robot"
)

const rover = `
boards:
  - {name: base, adaptor: firmata, port: /dev/ttyACM0}
  - {name: head, adaptor: jetson}
joints:
  - {name: left, board: base, kind: motor, pin: "5", direction_pin: "4", min_duty: 0.2}
  - {name: right, board: base, kind: motor, pin: "6", direction_pin: "7", inverted: true}
  - {name: pan, board: head, kind: servo, pin: "33", min_pulse: 600, max_pulse: 2400, at_min: -1.6, at_max: 1.6}
retry: 5s
`

func TestRead(t *testing.T) {
	c, err := Read("rover.yaml", strings.NewReader(rover))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Boards) != 2 || len(c.Joints) != 3 || c.Joints[2].Pin != "33" || *c.Joints[2].AtMin != -1.6 || !c.Joints[1].Inverted {
		t.Errorf("read %+v", c)
	}
}

func TestReadRefuses(t *testing.T) {
	for want, text := range map[string]string{
		"no board is listed":                        ``,
		`unknown key "joint" (did you mean joints?`: strings.Replace(rover, "joints:", "joint:", 1),
		`line 6: unknown key "pinn"`:                strings.Replace(rover, `pin: "5"`, `pinn: "5"`, 1),
		`no board is called "bass"`:                 strings.Replace(rover, "board: base", "board: bass", 1),
		"is joint left's":                           strings.Replace(rover, `pin: "6"`, `pin: "4"`, 1),
		"used twice":                                strings.Replace(rover, "name: right", "name: left", 1),
		"needs a direction_pin":                     strings.Replace(rover, `direction_pin: "4", `, "", 1),
		`kind "serbo" is not`:                       strings.Replace(rover, "serv", "serb", 1),
		"pulses in µs from 2500 to 2400":            strings.Replace(rover, "min_pulse: 600", "min_pulse: 2500", 1),
		"within 500 to 2500":                        strings.Replace(rover, "max_pulse: 2400", "max_pulse: 3000", 1),
		"pulses and angles are for servos":          strings.Replace(rover, "min_duty: 0.2", "min_pulse: 600", 1),
		"not both":                                  strings.Replace(rover, "min_pulse: 600", "min_angle: 20", 1),
		"duties from 0.2 to 0.1":                    strings.Replace(rover, "min_duty: 0.2", "min_duty: 0.2, max_duty: 0.1", 1),
		"not a finite number":                       strings.Replace(rover, "min_duty: 0.2", "min_duty: .nan", 1),
		"at_min 2 is not below at_max 1.6":          strings.Replace(rover, "at_min: -1.6", "at_min: 2", 1),
		"needs a port":                              strings.Replace(rover, ", port: /dev/ttyACM0", "", 1),
		"needs an adaptor":                          strings.Replace(rover, ", adaptor: jetson", "", 1),
		"retry is 1ms":                              strings.Replace(rover, "5s", "1ms", 1),
		"aliases are not read":                      "boards: &a [{name: x, adaptor: jetson}]\njoints: *a",
		"longer than":                               "#" + strings.Repeat("x", maxFileBytes+1),
		"cannot unmarshal":                          "boards: 7",
	} {
		_, err := Read("robot.yaml", strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "gobot configuration robot.yaml: ") {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(rover)
	f.Add("boards: [{name: a, adaptor: raspi}]\njoints: [{name: j, kind: servo, pin: \"1\", min_angle: 10, max_angle: 170}]\n")
	f.Add("boards: &a [*a]")
	f.Add("joints: [{at_min: 1e999, at_max: -.inf}]")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Read("fuzz", strings.NewReader(text))
		if err != nil {
			return
		}
		if err := c.Validate(); err != nil {
			t.Fatalf("read, but %v", err)
		}
		// Whatever the file says, no joint's number leads beyond an output's range.
		d := describe(c)
		boards, err := compile(d, c)
		if err != nil {
			return
		}
		for _, outputs := range boards {
			for i := range outputs {
				o := &outputs[i]
				for _, v := range []float64{-1e300, -3, 0, 0.5, 3, 1e300} {
					l := o.at(v)
					stands := o.direction != "" && l == level{}
					if !(l.value >= o.least && l.value <= o.greatest) && !stands {
						t.Fatalf("%+v at %g gives %g", o, v, l.value)
					}
				}
			}
		}
	})
}

// describe makes a robot of the joints that c names.
func describe(c *Config) *robot.Description {
	d := &robot.Description{Name: "any"}
	for i := range c.Joints {
		j := robot.Joint{
			Name: c.Joints[i].Name, Kind: robot.Revolute, Axis: robot.Vec3{0, 0, 1},
			Limits: robot.Limits{MinPosition: -1.5, MaxPosition: 1.5, MaxVelocity: 10, MaxAcceleration: 20, MaxEffort: 1, MaxTemperature: 60},
		}
		if c.Joints[i].Kind == KindMotor {
			j.Kind = robot.Wheel
		}
		d.Joints = append(d.Joints, j)
	}
	return d
}

func TestMapping(t *testing.T) {
	c, err := Read("rover.yaml", strings.NewReader(rover))
	if err != nil {
		t.Fatal(err)
	}
	boards, err := compile(describe(c), c)
	if err != nil {
		t.Fatal(err)
	}
	left, right, pan := &boards["base"][0], &boards["base"][1], &boards["head"][0]
	for _, x := range []struct {
		o    *output
		v    float64
		want level
	}{
		{left, 0, level{}},
		{left, 0.001, level{}},
		{left, 5, level{value: 0.6}},
		{left, 10, level{value: 1}},
		{left, -10, level{value: 1, backward: true}},
		{left, 99, level{value: 1}},
		{right, 5, level{value: 0.5, backward: true}},
		{right, -5, level{value: 0.5}},
		{pan, 0, level{value: 1500}},
		{pan, -1.6, level{value: 600}},
		{pan, 1.6, level{value: 2400}},
		{pan, 3, level{value: 2400}},
		{pan, -3, level{value: 600}},
	} {
		if got := x.o.at(x.v); math.Abs(got.value-x.want.value) > 1e-9 || got.backward != x.want.backward {
			t.Errorf("%s at %g: %+v, want %+v", x.o.name, x.v, got, x.want)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for want, change := range map[string]func(*Config, *robot.Description){
		"did you mean pan?":           func(c *Config, _ *robot.Description) { c.Joints[2].Name = "pam" },
		"is not in the configuration": func(c *Config, _ *robot.Description) { c.Joints = c.Joints[:2] },
		"a motor has no position":     func(_ *Config, d *robot.Description) { d.Joints[0].Kind = robot.Revolute },
		"reach beyond [-1.6, 1.6]":    func(_ *Config, d *robot.Description) { d.Joints[2].Limits.MaxPosition = 2 },
		"a motor stands at 0":         func(c *Config, _ *robot.Description) { c.Joints[0].AtMin = new(float64(-1)) },
	} {
		c, err := Read("rover.yaml", strings.NewReader(rover))
		if err != nil {
			t.Fatal(err)
		}
		d := describe(c)
		change(c, d)
		if _, err := compile(d, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
