package world

import (
	"testing"

	"github.com/kuai-robot/kuai/robot"
)

func newWorld(t testing.TB) *World {
	t.Helper()
	w, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func TestResetPutsEverythingOnTheTable(t *testing.T) {
	w := newWorld(t)
	for seed := range uint64(20) {
		if err := w.Reset(seed, Spec{}); err != nil {
			t.Fatal(seed, err)
		}
		scene := w.Scene()
		if len(scene.Objects) != len(things) || scene.By != By {
			t.Fatalf("seed %d: %d objects by %q", seed, len(scene.Objects), scene.By)
		}
		for _, o := range scene.Objects {
			if o.On != Table || o.In != "" || o.Held {
				t.Errorf("seed %d: %s: on %q, in %q, held %v", seed, o.Name, o.On, o.In, o.Held)
			}
		}
	}
	s, err := w.Read()
	if err != nil {
		t.Fatal(err)
	}
	home := w.Description().Home()
	for i := range w.Description().Joints {
		if d := s.Position[i] - home[i]; d > 0.01 || d < -0.01 {
			t.Errorf("joint %d is %.4f from home", i, d)
		}
	}
	if err := w.Write(&robot.Command{Enable: true, Position: home}); err != nil {
		t.Error(err)
	}
}
