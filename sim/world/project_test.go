package world

import (
	"math"
	"testing"

	"github.com/kuai-robot/kuai/robot"
)

func TestProject(t *testing.T) {
	w := newWorld(t)
	if err := w.Reset(1, Spec{}); err != nil {
		t.Fatal(err)
	}
	const width, height = 3200, 2400
	for _, p := range []robot.Vec3{{0.22, 0.05, 0.02}, {0.1, -0.15, 0.02}, {0.3, 0, 0.1}} {
		x, y := pixelOf(t, w, p, width, height)
		s, ok := w.Project("front", width/float64(height), p)
		if !ok || math.Abs(s.X*width-float64(x)) > 2 || math.Abs(s.Y*height-float64(y)) > 2 {
			t.Errorf("%v shows at %.1f, %.1f (%v), want %d, %d", p, s.X*width, s.Y*height, ok, x, y)
		}
		// A metre, seen from the same distance to the right, spans Scale of the height.
		aside := p.Add(robot.Vec3{0.02, 0.05, 0}.Scale(0.01 / math.Hypot(0.02, 0.05)))
		beside, ok := w.Project("front", width/float64(height), aside)
		if got, want := (beside.X-s.X)*width/height, 0.01*s.Scale; !ok || math.Abs(got-want) > 0.02*want {
			t.Errorf("1 cm beside %v is %.4f of the height, want %.4f", p, got, want)
		}
	}
	for camera, p := range map[string]robot.Vec3{"front": {2, -0.8, 0.6}, "nowhere": {0.2, 0, 0}} {
		if s, ok := w.Project(camera, 4./3, p); ok {
			t.Errorf("camera %s sees %v at %v, which is not before it", camera, p, s)
		}
	}
}
