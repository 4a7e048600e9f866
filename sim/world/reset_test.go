package world

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

func TestDrawnEpisodesAreApartAndAtRest(t *testing.T) {
	w := newWorld(t)
	seen := map[string]bool{}
	for seed := range uint64(100) {
		if err := w.Reset(seed, Spec{}); err != nil {
			t.Fatal(seed, err)
		}
		scene := w.Scene()
		if len(scene.Objects) != tabletopThings || scene.By != By || scene.At != w.Now() {
			t.Fatalf("seed %d: %d objects by %q at %v", seed, len(scene.Objects), scene.By, scene.At)
		}
		seen[fmt.Sprint(scene.Objects[0].Pose)] = true
		for i := range scene.Objects {
			o := &scene.Objects[i]
			if o.On != Table || o.In != "" || o.Held {
				t.Errorf("seed %d: %s: on %q, in %q, held %v", seed, o.Name, o.On, o.In, o.Held)
			}
			for j := range i {
				gap := o.Pose.Position.Sub(scene.Objects[j].Pose.Position).Norm()
				if want := distance(thingNamed(o.Name), thingNamed(scene.Objects[j].Name)) - 0.001; gap < want {
					t.Errorf("seed %d: %s and %s are %.3f m apart, want %.3f", seed, o.Name, scene.Objects[j].Name, gap, want)
				}
			}
		}
	}
	if len(seen) != 100 {
		t.Errorf("100 seeds gave %d episodes", len(seen))
	}
}

// Everywhere an object is drawn the arm can grasp from above, with its fingers
// along either side of the block, lift it, and drop it over a bowl's rim.
func TestTheRingIsWithinReach(t *testing.T) {
	d := newWorld(t).Description()
	check := func(kind string, near, far float64, heights ...float64) {
		for r := near; r <= far+1e-9; r += 0.005 {
			for angle := -sectorRad; angle <= sectorRad; angle += 0.05 {
				sin, cos := math.Sincos(angle)
				for _, z := range heights {
					q, ok := topDown(d, r*cos, r*sin, z, 0.3)
					if !ok {
						t.Fatalf("%s at %.3f m, %.2f rad, height %.3f: out of reach", kind, r, angle, z)
					}
					tool := d.ToolPose(&q)
					if off := tool.Position.Sub(robot.Vec3{r * cos, r * sin, z}).Norm(); off > 1e-9 {
						t.Fatalf("inverse kinematics is off by %g m", off)
					}
					if down := tool.Orientation.Rotate(robot.Vec3{0, 0, 1}); down[2] > -1+1e-9 {
						t.Fatalf("the tool approaches along %v", down)
					}
				}
			}
		}
	}
	check(kindBlock, ringMin, ringMax, blockEdge/2, blockEdge/2+0.06)
	check(kindBowl, bowlRingMin, bowlRingMax, bowlHeight+blockEdge, bowlHeight+blockEdge+0.03)
}

func at(x, y float64) *[2]float64 { return &[2]float64{x, y} }

func TestSpecIsHonoured(t *testing.T) {
	w := newWorld(t)
	arm := []float64{0.3, -0.9, 0.6, 1.3, 0.2, 0.02}
	for _, c := range []struct {
		name string
		spec Spec
		want []string // predicates
	}{
		{"only what is listed", Spec{Objects: []Placement{{Name: "red block"}}}, []string{"on(red block, table)", "not present(blue bowl)"}},
		{"in a bowl", Spec{Objects: []Placement{{Name: "red block", In: "blue bowl"}, {Name: "blue bowl"}}}, []string{"in(red block, blue bowl)", "on(blue bowl, table)"}},
		{"on a block", Spec{Objects: []Placement{{Name: "red block", On: "green block"}, {Name: "green block"}}}, []string{"on(red block, green block)", "not clear(green block)"}},
		{"on the table", Spec{Objects: []Placement{{Name: "red block", On: Table}}}, []string{"on(red block, table)"}},
		{"a tower of four", Spec{Objects: []Placement{
			{Name: "yellow block", On: "blue block"}, {Name: "blue block", On: "green block"},
			{Name: "green block", On: "red block"}, {Name: "red block", Position: at(0.2, 0)}}},
			[]string{"on(yellow block, blue block)", "on(blue block, green block)", "on(green block, red block)", "on(red block, table)"}},
		{"four in a bowl", Spec{Objects: []Placement{
			{Name: "red bowl"}, {Name: "red block", In: "red bowl"}, {Name: "green block", In: "red bowl"},
			{Name: "blue block", In: "red bowl"}, {Name: "yellow block", In: "red bowl"}}},
			[]string{"in(red block, red bowl)", "in(green block, red bowl)", "in(blue block, red bowl)", "in(yellow block, red bowl)"}},
		{"a tower in a bowl", Spec{Objects: []Placement{
			{Name: "red bowl"}, {Name: "red block", In: "red bowl"}, {Name: "green block", On: "red block"}, {Name: "blue block", On: "green block"}}},
			[]string{"in(red block, red bowl)", "in(green block, red bowl)", "on(blue block, green block)"}},
		{"out of reach", Spec{Objects: []Placement{{Name: "red block", Position: at(0.42, 0.4)}}}, []string{"on(red block, table)"}},
		{"posed arm", Spec{Arm: arm}, []string{"empty_hand()", "on(red block, table)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.spec.Validate(); err != nil {
				t.Fatal(err)
			}
			for seed := range uint64(5) {
				if err := w.Reset(seed, c.spec); err != nil {
					t.Fatal(seed, err)
				}
				checkSpec(t, w, &c.spec, c.want)
			}
		})
	}
}

func checkSpec(t *testing.T, w *World, spec *Spec, want []string) {
	t.Helper()
	scene := w.Scene()
	if n := len(spec.Objects); n > 0 && len(scene.Objects) != n {
		t.Errorf("%d objects, want %d", len(scene.Objects), n)
	}
	for _, text := range want {
		p, err := robot.ParsePredicate(text)
		if err != nil {
			t.Fatal(err)
		}
		if !p.Holds(nil, scene) {
			t.Errorf("%s does not hold in %+v", text, scene.Objects)
		}
	}
	for _, p := range spec.Objects {
		if p.Position == nil {
			continue
		}
		o, _ := scene.Find(p.Name)
		if off := math.Hypot(o.Pose.Position[0]-p.Position[0], o.Pose.Position[1]-p.Position[1]); off > 0.001 {
			t.Errorf("%s is %.4f m from where it was to be", p.Name, off)
		}
	}
	if len(spec.Arm) > 0 {
		s, err := w.Read()
		if err != nil {
			t.Fatal(err)
		}
		for i, q := range spec.Arm {
			if math.Abs(s.Position[i]-q) > 0.01 {
				t.Errorf("joint %d at %.3f, want %.3f", i, s.Position[i], q)
			}
		}
	}
}

func TestImpossibleSpecsAreRefused(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ name, json, want string }{
		{"unknown object", `{"objects":[{"name":"red blok"}]}`, `did you mean "red block"`},
		{"twice", `{"objects":[{"name":"red block"},{"name":"red block"}]}`, "twice"},
		{"unknown support", `{"objects":[{"name":"red block","on":"chair"}]}`, `no "chair"`},
		{"in a block", `{"objects":[{"name":"red block","in":"blue block"},{"name":"blue block"}]}`, "only a bowl"},
		{"in the table", `{"objects":[{"name":"red block","in":"table"}]}`, "no \"table\""},
		{"on a bowl", `{"objects":[{"name":"red block","on":"red bowl"},{"name":"red bowl"}]}`, "say in"},
		{"bowl on a block", `{"objects":[{"name":"red bowl","on":"red block"},{"name":"red block"}]}`, "table only"},
		{"bowl in a bowl", `{"objects":[{"name":"red bowl","in":"blue bowl"},{"name":"blue bowl"}]}`, "table only"},
		{"two ways", `{"objects":[{"name":"red block","on":"table","position":[0.2,0]}]}`, "one of"},
		{"support not listed", `{"objects":[{"name":"red block","in":"red bowl"}]}`, "list it too"},
		{"a circle", `{"objects":[{"name":"red block","on":"blue block"},{"name":"blue block","on":"red block"}]}`, "circle"},
		{"on itself", `{"objects":[{"name":"red block","on":"red block"}]}`, "circle"},
		{"two on one", `{"objects":[{"name":"red block","on":"blue block"},{"name":"green block","on":"blue block"},{"name":"blue block"}]}`, "already carries"},
		{"off the table", `{"objects":[{"name":"red block","position":[3,0]}]}`, "not on the table"},
		{"in the base", `{"objects":[{"name":"red block","position":[0.05,0]}]}`, "base"},
		{"overlap", `{"objects":[{"name":"red block","position":[0.2,0]},{"name":"blue bowl","position":[0.25,0.02]}]}`, "overlap"},
		{"arm too short", `{"arm":[0,0]}`, "2 positions for 6 joints"},
		{"arm beyond limits", `{"arm":[9,0,0,0,0,0]}`, "shoulder_pan"},
		{"arm in the way", `{"objects":[{"name":"red block","position":[0.2,0.014]}],"arm":[0,0.1986,0.2769,1.0952,0,0]}`, "does not stay"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var spec Spec
			if err := json.Unmarshal([]byte(c.json), &spec); err != nil {
				t.Fatal(err)
			}
			if err := w.Reset(3, Spec{}); err != nil {
				t.Fatal(err)
			}
			before := fmt.Sprint(w.Scene())
			err := w.Reset(1, spec)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want something about %q", err, c.want)
			}
			if fmt.Sprint(w.Scene()) != before {
				t.Error("a refused Reset changed the world")
			}
		})
	}
}

// No Spec, however strange, makes Validate panic or accept a number that is
// not one.
func FuzzSpec(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"objects":[{"name":"red block","on":"blue block"},{"name":"blue block","position":[0.2,0.1]}]}`,
		`{"objects":[{"name":"red block","in":"red bowl"},{"name":"red bowl"}],"arm":[0,0,0,0,0,0]}`,
		`{"objects":[{"name":"","on":"table","in":"table"}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var spec Spec
		if json.Unmarshal(data, &spec) != nil || spec.Validate() != nil {
			return
		}
		slots, err := spec.slots()
		if err != nil || len(slots) == 0 || len(slots) > len(things) {
			t.Errorf("%s: %d slots, %v", data, len(slots), err)
		}
	})
}

func TestSameSeedSameBits(t *testing.T) {
	a, b := newWorld(t), newWorld(t)
	// b has a past; a has none.
	if err := b.Reset(99, Spec{Objects: []Placement{{Name: "red block"}}}); err != nil {
		t.Fatal(err)
	}
	b.Step(time.Second)
	var states [2][]float64
	for k, w := range []*World{a, b} {
		if err := w.Reset(5, Spec{}); err != nil {
			t.Fatal(err)
		}
		newHand(t, w).pick("red block")
		states[k] = make([]float64, w.live.data.StateSize())
		if err := w.live.data.State(states[k]); err != nil {
			t.Fatal(err)
		}
	}
	for i := range states[0] {
		if math.Float64bits(states[0][i]) != math.Float64bits(states[1][i]) {
			t.Fatalf("number %d of the state differs: %v and %v", i, states[0][i], states[1][i])
		}
	}
}
