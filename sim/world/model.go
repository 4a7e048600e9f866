package world

import (
	"bytes"
	_ "embed" // for the model
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world/machine"
)

// PhysicsStep is the length of one step of the simulation.
const PhysicsStep = 2 * time.Millisecond

// Pictures are at most this large.
const (
	MaxWidth  = 1280
	MaxHeight = 960
)

//go:embed tabletop.xml
var tabletop string

// servo is how a joint's motor answers: a spring and damper towards the target,
// up to a force. The bus servos of the arm stall at 2.94 N·m; the gripper's is
// set lower, as on the real arm, so that it can squeeze without pause.
type servo struct {
	Joint              string
	Stiffness, Damping float64 // N·m/rad and N·m·s/rad, or N/m and N·s/m
	Force              float64 // N·m or N
}

var servos = []servo{
	{"shoulder_pan", 120, 5, 2.94},
	{"shoulder_lift", 160, 6, 2.94},
	{"elbow_flex", 120, 4.5, 2.94},
	{"wrist_flex", 80, 3, 2.94},
	{"wrist_roll", 60, 2.5, 2.94},
	{"gripper", 1000, 15, 12},
}

// answers are the servos as the machine takes them.
func answers() []machine.Servo {
	a := make([]machine.Servo, len(servos))
	for i := range servos {
		a[i] = machine.Servo{Stiffness: servos[i].Stiffness, Damping: servos[i].Damping}
	}
	return a
}

// cloths are the materials besides "table" that a workbench's top may have, and
// clutter what stands about on it that nothing touches. Of the cloths the first two
// are within the ranges of training, the next two outside, and the others only
// demonstrations have.
var (
	cloths  = []string{"plain", "specks", "checks", "stripes", "lattice", "crosses", "blotches", "felt", "mosaic", "patches"}
	clutter = []string{"clutter box", "clutter ellipsoid", "clutter cylinder", "clutter capsule", "clutter box 2", "clutter cylinder 2"}
)

// usualCloths counts the materials of the table before those that only
// demonstrations have, ownCloths these.
var (
	usualCloths = 1 + slices.Index(cloths, "lattice")
	ownCloths   = 1 + len(cloths) - usualCloths
)

// modelText fills the template for the arm d.
func modelText(d *robot.Description, workbench bool) ([]byte, error) {
	named := func(name string) (*robot.Joint, error) {
		if i := d.Index(name); i >= 0 {
			return &d.Joints[i], nil
		}
		return nil, fmt.Errorf("the description has no joint %q", name)
	}
	functions := template.FuncMap{
		"frame": func(name string) (string, error) {
			j, err := named(name)
			if err != nil {
				return "", err
			}
			return frame(j.Origin), nil
		},
		"joint": func(name string) (string, error) {
			j, err := named(name)
			if err != nil {
				return "", err
			}
			kind := "hinge"
			if j.Kind == robot.Prismatic {
				kind = "slide"
			}
			return fmt.Sprintf(`name=%q type=%q axis="%s" range="%s"`, name, kind, numbers(j.Axis[:]...),
				numbers(j.Limits.MinPosition, j.Limits.MaxPosition)), nil
		},
		"range_": func(name string) (string, error) {
			j, err := named(name)
			if err != nil {
				return "", err
			}
			return numbers(j.Limits.MinPosition, j.Limits.MaxPosition), nil
		},
		"tool":     func() string { return frame(d.Tool) },
		"segment":  func(a, b string) string { return fmt.Sprintf(`fromto="%s %s"`, a, b) },
		"scale":    func(sign int, v float64) string { return numbers(float64(sign) * v) },
		"fixtures": fixtureModels,
		"clutter":  func(name string) string { return strings.Fields(name)[1] },
		"side": func(sign int) string {
			if sign > 0 {
				return "left"
			}
			return "right"
		},
	}
	t, err := template.New("tabletop.xml").Funcs(functions).Option("missingkey=error").Parse(tabletop)
	if err != nil {
		return nil, err
	}
	loose := things[:tabletopThings]
	if workbench {
		loose = things[:thingNamed(kindDrawer)]
	}
	var text bytes.Buffer
	err = t.Execute(&text, struct {
		Timestep            string
		MaxWidth, MaxHeight int
		Legs                []string
		Things              []thing
		Servos              []servo
		Workbench           bool
		Cloths, Clutter     []string
	}{
		Timestep: numbers(PhysicsStep.Seconds()),
		MaxWidth: MaxWidth, MaxHeight: MaxHeight,
		Legs:      []string{"-0.21 -0.41", "-0.21 0.41", "0.41 -0.41", "0.41 0.41"},
		Things:    loose,
		Servos:    servos,
		Workbench: workbench, Cloths: cloths, Clutter: clutter,
	})
	return text.Bytes(), err
}

// frame writes a pose as MJCF attributes, to the last bit.
func frame(p robot.Pose) string {
	return fmt.Sprintf(`pos="%s" quat="%s"`, numbers(p.Position[:]...), numbers(p.Orientation[:]...))
}

// numbers writes each v so that it reads back as the same number.
func numbers(vs ...float64) string {
	words := make([]string, len(vs))
	for i, v := range vs {
		words[i] = strconv.FormatFloat(v, 'g', -1, 64)
	}
	return strings.Join(words, " ")
}
