package expert_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world"
)

// scattered is a table with a red block anywhere on it, in reach or not, and
// the others anywhere or close to it.
func scattered(random *rand.Rand) world.Spec {
	var spec world.Spec
	apart := func(p [2]float64, half float64) bool {
		for _, o := range spec.Objects {
			need := half + 0.019 + 0.0025
			if strings.HasSuffix(o.Name, "bowl") {
				need = half + 0.059 + 0.0025
			}
			if math.Hypot(p[0]-o.Position[0], p[1]-o.Position[1]) < need {
				return false
			}
		}
		return math.Hypot(p[0], p[1]) > 0.09+half && p[0] > -0.18 && p[0] < 0.38 && math.Abs(p[1]) < 0.38
	}
	put := func(name string, half float64) {
		for range 1000 {
			p := [2]float64{-0.18 + 0.56*random.Float64(), -0.38 + 0.76*random.Float64()}
			if len(spec.Objects) > 0 && random.IntN(2) == 0 {
				s, c := math.Sincos(2 * math.Pi * random.Float64())
				out := half + 0.02 + 0.03*random.Float64()
				p = [2]float64{spec.Objects[0].Position[0] + out*c, spec.Objects[0].Position[1] + out*s}
			}
			if apart(p, half) {
				spec.Objects = append(spec.Objects, world.Placement{Name: name, Position: &p})
				return
			}
		}
	}
	put("red block", 0.019)
	put("blue bowl", 0.059)
	for _, name := range []string{"green block", "blue block", "yellow block"} {
		put(name, 0.019)
	}
	return spec
}

// Chances are right when skills that are given p succeed p of the time; the
// Brier score of a chance that is always right is 0, of a coin 0.25.
func TestCanIsCalibrated(t *testing.T) {
	b := newTable(t)
	random := rand.New(rand.NewPCG(*seed, 11))
	const bins = 5
	var count, won, sum [bins + 1]float64
	brier, n := 0.0, 0.0
	for i := range 10 * *episodes {
		b.reset(uint64(i), scattered(random))
		s := call("pick", "red block")
		if i%2 == 1 {
			s = call("push", "red block", []string{"left", "right"}[random.IntN(2)])
		}
		before := b.world.Scene()
		p := b.expert.Can(b.observe(), s)
		outcome := b.do(s.Name, s.Args...)
		ok := 0.0
		goal := robot.Predicate{Name: "held", Args: s.Args}
		if s.Name == "push" {
			goal.Name = "moved"
		}
		if outcome.Status == robot.Succeeded && goal.Holds(before, b.world.Scene()) {
			ok = 1
		}
		if (p == 0) != (outcome.Status == robot.Failed && outcome.Reason[:6] == "begin:") {
			t.Errorf("table %d: %s has the chance %.2f but: %s", i, s, p, outcome.Reason)
		}
		if p > 0 && ok == 0 {
			t.Logf("table %d: %s at %.2f: %s", i, s, p, outcome.Reason)
		}
		bin := int(math.Ceil(p * bins))
		count[bin]++
		won[bin] += ok
		sum[bin] += p
		brier += (p - ok) * (p - ok)
		n++
	}
	for k := range count {
		if count[k] > 0 {
			t.Logf("chance %.2f: %.2f of %.0f succeeded", sum[k]/count[k], won[k]/count[k], count[k])
		}
	}
	t.Logf("Brier score %.3f", brier/n)
	if brier/n > 0.1 {
		t.Errorf("the Brier score is %.3f, want at most 0.1", brier/n)
	}
}

func BenchmarkCan(b *testing.B) {
	table := newTable(b)
	table.reset(1000, world.Spec{})
	o := table.observe()
	measure := func(name string, skills []robot.Skill) {
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				table.expert.Can(o, skills[i%len(skills)])
			}
		})
	}
	blocks := []string{"red block", "green block", "blue block", "yellow block"}
	var pick, push, place []robot.Skill
	for _, block := range blocks {
		pick = append(pick, call("pick", block))
		push = append(push, call("push", block, "left"), call("push", block, "right"))
	}
	for _, under := range append(blocks[1:], "table") {
		place = append(place, call("place_on", "red block", under))
	}
	for _, bowl := range []string{"red bowl", "green bowl", "blue bowl"} {
		place = append(place, call("place_in", "red block", bowl), call("place_beside", "red block", bowl))
	}
	measure("pick", pick)
	measure("push", push)
	if outcome := table.do("pick", "red block"); outcome.Status != robot.Succeeded {
		b.Fatal(outcome.Reason)
	}
	o = table.observe()
	for _, s := range place {
		measure(s.String(), []robot.Skill{s})
	}
}
