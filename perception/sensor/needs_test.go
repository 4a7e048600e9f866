package sensor_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/perception/sensor"
	"github.com/kuai-robot/kuai/robot"
)

// observation was made at 100 ms: the joints are 5 ms old, the scene 10 and the
// front camera's picture 40.
func observation() robot.Observation {
	j := sensor.New()
	j.Frame(robot.Frame{Camera: "front", At: ms(60)})
	j.Frame(robot.Frame{Camera: "front", At: ms(110)})
	return j.Observe(ms(100), robot.State{At: ms(95)}, &robot.Scene{At: ms(90)})
}

func TestAges(t *testing.T) {
	o := observation()
	want := []sensor.Age{{"joints", 5 * time.Millisecond}, {"scene", 10 * time.Millisecond}, {"camera front", 40 * time.Millisecond}}
	if got := sensor.Ages(&o); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	var none *sensor.Joiner
	blind := none.Observe(ms(100), robot.State{At: ms(95)}, nil)
	if got := sensor.Ages(&blind); !slices.Equal(got, want[:1]) {
		t.Errorf("without scene and cameras: %v", got)
	}
}

func TestNeeds(t *testing.T) {
	seen, blind := observation(), robot.Observation{At: ms(100)}
	camera := func(name string, age int) []sensor.CameraNeed {
		return []sensor.CameraNeed{{Name: name, Age: time.Duration(age) * time.Millisecond}}
	}
	for _, c := range []struct {
		name  string
		needs sensor.Needs
		o     *robot.Observation
		want  []string
	}{
		{"nothing", sensor.Needs{}, &blind, nil},
		{"all fresh", sensor.Needs{Joints: 5e6, Scene: 10e6, Cameras: camera("front", 40)}, &seen, nil},
		{"joints", sensor.Needs{Joints: 4e6}, &seen, []string{"joints: the newest sample is 5 ms old, at most 4 are allowed"}},
		{"scene", sensor.Needs{Scene: 9e6}, &seen, []string{"scene: the newest sample is 10 ms old, at most 9"}},
		{"picture", sensor.Needs{Cameras: camera("front", 39)}, &seen, []string{"camera front: the newest sample is 40 ms old, at most 39"}},
		{"another camera", sensor.Needs{Cameras: camera("wrist", 99)}, &seen, []string{"camera wrist: nothing came yet"}},
		{"all missing", sensor.Needs{Joints: 1, Scene: 1, Cameras: camera("front", 1)}, &blind,
			[]string{"joints: nothing came yet", "scene: nothing came yet", "camera front: nothing came yet"}},
	} {
		err := c.needs.Check(c.o)
		if (err != nil) != (c.want != nil) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
		for _, w := range c.want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: error %v, want one with %q", c.name, err, w)
			}
		}
	}
}
