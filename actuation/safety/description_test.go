package safety

import (
	"math/rand/v2"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/kuai-robot/kuai/robot"
)

// describe reads a description as the daemon does.
func describe(text string) (*robot.Description, error) {
	decoder := yaml.NewDecoder(strings.NewReader(text))
	decoder.KnownFields(true)
	var d robot.Description
	return &d, decoder.Decode(&d)
}

// Whatever somebody writes into a description: it is refused, or the limits in
// it are kept.
func FuzzDescription(f *testing.F) {
	arm, err := yaml.Marshal(testArm())
	if err != nil {
		f.Fatal(err)
	}
	const joint = "{name: j, kind: revolute, axis: [0, 0, 1], origin: {orientation: [1, 0, 0, 0]}, limits: {min_position: -1, max_position: 1, max_velocity: 2, max_acceleration: 10, max_effort: 1, max_temperature: 60}}"
	one := "name: r\njoints: [" + joint + "]\n"
	for _, seed := range []string{
		string(arm), one,
		strings.Replace(one, "max_velocity: 2", "max_velocity: 1e308", 1), strings.Replace(one, "min_position: -1", "min_position: 1", 1),
		strings.Replace(one, "revolute", "wheel", 1), strings.Replace(one, "max_acceleration: 10", "max_acceleration: 1e-320", 1),
		strings.Replace(one, "max_position: 1", "max_position: .nan", 1), strings.Replace(one, "[0, 0, 1]", "[0, 0, 0]", 1),
		one + "capsules: [{link: j, a: [0, 0, 0], b: [0, 0, 0.1], radius: .inf}, {a: [1, 0, 0], b: [1, 0, 0], radius: 0.1}]\n",
		one + "workspace_min: [0, 0, 0]\nworkspace_max: [1e300, 1e300, -1]\n", strings.Replace(one, "min_position: -1", "min_position: -1e308", 1),
	} {
		f.Add(seed, uint64(1))
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		d, err := describe(text)
		if err != nil {
			return
		}
		if _, err := Compile(d, DefaultConfig()); err != nil {
			if len(err.Error()) > 20_000 {
				t.Fatalf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		s := &stream{rig: newRig(t, d, DefaultConfig()), choose: byRand{rand.New(rand.NewPCG(seed, 2))}}
		if bad := s.run(100); bad != "" {
			t.Fatalf("at %v: %s: %+v after %+v", s.now, bad, s.command, s.verdict)
		}
	})
}

func TestNumbersBeyondAnyMachineAreRefused(t *testing.T) {
	for want, change := range map[string]func(*robot.Description){
		"joint elbow_flex: a limit is not a number from -1e+06": func(d *robot.Description) { d.Joints[2].Limits.MinPosition = -1e308 },
		"joint wrist_flex: a limit is not a number from -1e+06": func(d *robot.Description) { d.Joints[3].Limits.MaxVelocity = 1e300 },
		"must be 1e-06 at least":                                func(d *robot.Description) { d.Joints[0].Limits.MaxAcceleration = 1e-320 },
		"origin needs":                                          func(d *robot.Description) { d.Joints[0].Origin.Position[1] = 1e200 },
		"capsule 1: needs a radius":                             func(d *robot.Description) { d.Capsules[1].Radius = 1e100 },
		"goes beyond 1e+06 m":                                   func(d *robot.Description) { d.WorkspaceMax[0] = 1e300 },
	} {
		d := testArm()
		change(d)
		if _, err := Compile(d, DefaultConfig()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Compile gave %v, want %q", err, want)
		}
	}
}
