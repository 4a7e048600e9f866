package hand_test

import (
	"math"
	"testing"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/robot/hand"
)

func TestStroke(t *testing.T) {
	var s hand.Stroke
	for _, h := range []struct {
		hand.Hand
		any, down bool
		way       [2]float64
	}{
		{hand.Hand{X: 0.2, Z: 0.1}, false, false, [2]float64{}},
		{hand.Hand{X: 0.2, Z: 0.04}, true, true, [2]float64{}},
		{hand.Hand{X: 0.2, Y: 0.03, Z: 0.02}, true, true, [2]float64{0, 0.03}},
		{hand.Hand{X: 0.2, Y: 0.05, Z: 0.05}, true, true, [2]float64{0, 0.05}},
		{hand.Hand{X: 0.2, Y: 0.05, Z: 0.06}, true, false, [2]float64{0, 0.05}},
		{hand.Hand{X: 0.1, Y: 0.09, Z: 0.1}, true, false, [2]float64{0, 0.05}},
		{hand.Hand{X: 0.1, Y: 0.09, Z: 0.03}, true, true, [2]float64{}},
	} {
		s.See(h.Hand)
		if s.Any != h.any || s.Down != h.down || math.Hypot(s.Way[0]-h.way[0], s.Way[1]-h.way[1]) > 1e-12 {
			t.Errorf("at %v: %+v", h.Hand, s)
		}
	}
}

func TestFeel(t *testing.T) {
	a, d := newArm(t)
	s := robot.State{Position: d.Home()}
	s.Effort[5] = -1e9
	f := a.Feel(&s, &hand.Stroke{Any: true, Way: [2]float64{0.04, 0}})
	for i, v := range f {
		if !(v >= -4 && v <= 4) {
			t.Errorf("feature %d is %g, want about 1 in size", i, v)
		}
	}
	if f[6] != -1 || f[15] != 1 || f[16] != 0 || math.Abs(float64(f[17])-0.6) > 1e-6 {
		t.Errorf("effort and stroke are felt as %v", f)
	}
}
