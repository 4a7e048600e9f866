package world

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

func newWorkbench(t testing.TB) *World {
	t.Helper()
	w, err := New(Options{Workbench: true, Renderer: "osmesa"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func photograph(t testing.TB, w *World) []byte {
	t.Helper()
	rgb := make([]byte, 3*64*48)
	if err := w.Render("front", 64, 48, rgb); err != nil {
		t.Fatal(err)
	}
	return rgb
}

// A seed gives the same look each time, another seed another one, and a spec
// without Vary the usual one again.
func TestLooksRepeat(t *testing.T) {
	w := newWorkbench(t)
	spec := Spec{Objects: []Placement{{Name: "red block", Position: &[2]float64{0.2, 0.05}}, {Name: "drawer"}}}
	take := func(seed uint64, v Vary) []byte {
		spec.Vary = v
		if err := w.Reset(seed, spec); err != nil {
			t.Fatal(err)
		}
		return photograph(t, w)
	}
	plain, varied, other := take(1, Vary{}), take(1, Training()), take(2, Training())
	if !bytes.Equal(varied, take(1, Training())) {
		t.Error("the same seed looks different")
	}
	if !bytes.Equal(plain, take(1, Vary{})) {
		t.Error("a look leaves traces")
	}
	if bytes.Equal(plain, varied) || bytes.Equal(varied, other) {
		t.Error("looks do not vary")
	}
	for _, v := range []Vary{{Light: 2}, {Colour: 2}, {Texture: 2}, {Camera: 2}, {Clutter: 2}, {Table: 2}} {
		if bytes.Equal(plain, take(1, v)) {
			t.Errorf("%+v changes nothing", v)
		}
	}
}

// What varies is seen only: blocks lie where they lie, but for the table's height.
func TestLooksLeaveThingsAlone(t *testing.T) {
	w := newWorkbench(t)
	at := func(v Vary) robot.Vec3 {
		if err := w.Reset(5, Spec{Vary: v}); err != nil {
			t.Fatal(err)
		}
		o, _ := w.Scene().Find("red block")
		return o.Pose.Position
	}
	usual := at(Vary{})
	if seen := at(Vary{Light: 1, Colour: 1, Texture: 1, Camera: 1, Clutter: 1}); seen.Sub(usual).Norm() > 1e-9 {
		t.Errorf("the red block went from %v to %v", usual, seen)
	}
	if raised := at(Vary{Table: 1}); raised[2] == usual[2] {
		t.Error("the table's height does not vary")
	}
}

func TestVaryIsChecked(t *testing.T) {
	w := newWorkbench(t)
	if err := w.Reset(1, Spec{Vary: Vary{Light: 9}}); err == nil || !strings.Contains(err.Error(), "vary") {
		t.Errorf("a share of 9 gives %v", err)
	}
	plain := newWorld(t)
	for want, spec := range map[string]Spec{
		"only a workbench can": {Vary: Training()}, "only a workbench has": {Objects: []Placement{{Name: "drawer"}}},
	} {
		if err := plain.Reset(1, spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error about %q, got %v", want, err)
		}
	}
}

func TestFixtures(t *testing.T) {
	w := newWorkbench(t)
	err := w.Reset(1, Spec{Objects: []Placement{{Name: "drawer", Position: &[2]float64{0.2, 0}, Open: 0.6}, {Name: "button", Position: &[2]float64{0.1, 0.15}}}})
	if err != nil {
		t.Fatal(err)
	}
	dark := photograph(t, w)
	scene := w.Scene()
	drawer, ok := scene.Find("drawer")
	if !ok || drawer.Open < 0.55 || drawer.Open > 0.65 || drawer.On != Table {
		t.Errorf("the drawer is %+v", drawer)
	}
	if p := drawer.Pose.Position; p[0] > 0.18 || p[0] < 0.165 {
		t.Errorf("the handle of the open drawer is at %v: it comes towards the arm", p)
	}
	// A finger on the button.
	w.machine.Lock()
	w.live.data.QPos()[w.parts.qpos[thingNamed("button")]] = -buttonStroke
	w.machine.Unlock()
	w.Step(2 * time.Millisecond)
	w.Step(500 * time.Millisecond)
	if b, _ := w.Scene().Find("button"); !b.Pressed {
		t.Error("the button does not remember that it was pressed")
	}
	if bytes.Equal(dark, photograph(t, w)) {
		t.Error("a button that was pressed does not show it")
	}
	if err := w.Reset(1, Spec{Objects: []Placement{{Name: "button"}}}); err != nil {
		t.Fatal(err)
	}
	if b, _ := w.Scene().Find("button"); b.Pressed {
		t.Error("the next episode begins with the button pressed")
	}
}

func TestMove(t *testing.T) {
	w := newWorkbench(t)
	err := w.Reset(1, Spec{Objects: []Placement{
		{Name: "red block", Position: &[2]float64{0.2, 0.05}}, {Name: "blue bowl", Position: &[2]float64{0.15, -0.15}}, {Name: "green block", In: "blue bowl"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if moved, err := w.Move("red block", [2]float64{0.1, 0.18}); !moved || err != nil {
		t.Errorf("moved %v, %v", moved, err)
	}
	w.Step(300 * time.Millisecond)
	if o, _ := w.Scene().Find("red block"); o.On != Table || o.Pose.Position.Sub(robot.Vec3{0.1, 0.18, 0.013}).Norm() > 0.005 {
		t.Errorf("the red block is at %+v", o)
	}
	for name, at := range map[string][2]float64{"blue bowl": {0.2, 0.1}, "red block": {0.15, -0.15}, "orange block": {0.2, 0}} {
		if moved, err := w.Move(name, at); moved || err != nil {
			t.Errorf("%s to %v: moved %v, %v", name, at, moved, err)
		}
	}
	if _, err := w.Move("cup", [2]float64{0.2, 0}); err == nil {
		t.Error("a cup that is not there was moved")
	}
}
