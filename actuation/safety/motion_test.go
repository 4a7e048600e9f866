package safety

import (
	"math"
	"testing"

	"github.com/kuai-robot/kuai/robot"
)

func TestSmoothMotionIsMetWithoutLag(t *testing.T) {
	r := newRig(t, testArm(), DefaultConfig())
	r.step(tick)
	home := r.l.desc.Home()
	start := r.now
	for range 300 {
		x := r.now.Add(tick).Sub(start).Seconds()
		// At rest at first, then a swing of 0.3 rad whose acceleration is below the limit.
		q, v := home, robot.Joints{}
		q[0] += 0.15 * (1 - math.Cos(4*x))
		v[0] = 0.15 * 4 * math.Sin(4*x)
		r.want(q, v)
		r.step(tick)
		if off := math.Abs(r.command.Position[0] - q[0]); off > 1e-9 {
			t.Fatalf("at %.2f s the command is %g rad off the motion asked for, verdict %+v", x, off, r.verdict)
		}
	}
	r.expect(Moving, OK)
}

func TestFarTargetIsReachedWithoutOvershoot(t *testing.T) {
	r := newRig(t, testArm(), DefaultConfig())
	r.step(tick)
	q := r.l.desc.Home()
	q[0] = 5 // beyond the limit of 1.9
	peak, before, ticks := 0.0, 0.0, 0
	for ; r.command.Position[0] < 1.9-1e-9; ticks++ {
		r.want(q, robot.Joints{})
		r.step(tick)
		if r.command.Position[0] < before || r.command.Position[0] > 1.9 || ticks > 200 {
			t.Fatalf("tick %d: position %.6f after %.6f", ticks, r.command.Position[0], before)
		}
		before, peak = r.command.Position[0], max(peak, r.command.Velocity[0])
		if r.verdict.Limited&LimitPosition == 0 {
			t.Fatalf("Limited = %b, want LimitPosition", r.verdict.Limited)
		}
	}
	// 0.2 s up to 2 rad/s, 0.2 s down, 1.5 rad between at full speed: 1.15 s.
	if ticks > 120 || peak != 2 {
		t.Errorf("%d ticks with a peak of %.3f rad/s, want about 116 and 2", ticks, peak)
	}
}

func BenchmarkStep(b *testing.B) {
	l, err := Compile(testArm(), DefaultConfig())
	if err != nil {
		b.Fatal(err)
	}
	for name, low := range map[string]bool{"free": false, "blocked": true} {
		b.Run(name, func(b *testing.B) {
			in := Input{State: robot.State{Position: l.desc.Home()}}
			var c Core
			now := robot.Time(tick)
			b.ReportAllocs()
			for i := range b.N {
				now = now.Add(tick)
				in.State.At = now
				t := &in.Targets[robot.SourcePolicy]
				*t = Target{Issued: now, ObservedAt: now, Expires: now + 1, Position: l.desc.Home()}
				t.Position[0] = math.Sin(float64(i) / 50)
				if low {
					t.Position[1], t.Position[3] = 0.5, 1
				}
				var command robot.Command
				c, command, _ = Step(l, c, &in, now)
				in.State.Position = command.Position
			}
		})
	}
}

// testMotion is one tick of 10 ms of the test arm, joint 0 at from with speed.
func testMotion(t *testing.T, from, speed float64) *motion {
	t.Helper()
	l, err := Compile(testArm(), DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	q, v := l.desc.Home(), robot.Joints{}
	q[0], v[0] = from, speed
	return &motion{l: l, dt: 0.01, from: &q, speed: &v}
}

func TestSteer(t *testing.T) {
	near := func(distance float64) float64 { return stoppable(distance, 10, 0.01) }
	for _, c := range []struct {
		name                         string
		from, speed, velocity, share float64
		wish, brake                  float64
		limited                      Limit
	}{
		{"at rest", 0, 0, 0, 1, 0, 0, 0},
		{"start", 0, 0, 1, 1, 0.1, 0, LimitAcceleration},
		{"start back", 0, 0, -1, 1, -0.1, 0, LimitAcceleration},
		{"goes on", 0, 1, 1, 1, 1, 0.9, 0},
		{"goes on back", 0, -1, -1, 1, -1, -0.9, 0},
		{"stops", 0, 0.05, 0, 1, 0, 0, 0},
		{"stops back", 0, -0.05, 0, 1, 0, 0, 0},
		{"as fast as it may", 0, 2, 2, 1, 2, 1.9, 0},
		{"faster", 0, 2, 2.5, 1, 2, 1.9, LimitVelocity},
		{"faster back", 0, -2, -2.5, 1, -2, -1.9, LimitVelocity},
		{"half speed", 0, 1, 1, 0.5, 1, 0.9, 0},
		{"more than half", 0, 1, 1.5, 0.5, 1, 0.9, LimitDerated},
		{"more than half back", 0, -1, -1.5, 0.5, -1, -0.9, LimitDerated},
		{"suddenly half", 0, 1.5, 1.5, 0.5, 1.4, 1.4, LimitDerated | LimitAcceleration},
		{"both", 0, 1, 3, 0.5, 1, 0.9, LimitVelocity | LimitDerated},
		{"near the upper end", 1.9 - 0.0004, 0, 0.1, 1, near(0.0004), 0, LimitPosition},
		{"near the lower end", -1.9 + 0.0004, 0, -0.1, 1, -near(0.0004), 0, LimitPosition},
		{"away from the end", 1.9 - 0.0004, 0, -0.1, 1, -0.1, 0, 0},
		{"outside", 1.95, 0, 0.1, 1, 0, 0, LimitPosition},
		{"outside below", -1.95, 0, -0.1, 1, 0, 0, LimitPosition},
		{"back inside", 1.95, 0, -0.1, 1, -0.1, 0, 0},
	} {
		m := testMotion(t, c.from, c.speed)
		m.steer(0, c.velocity, c.share)
		if math.Abs(m.wish[0]-c.wish) > 1e-12 || math.Abs(m.brake[0]-c.brake) > 1e-12 || m.limited != c.limited {
			t.Errorf("%s: wish %g, brake %g, limited %06b; want %g, %g, %06b", c.name, m.wish[0], m.brake[0], m.limited, c.wish, c.brake, c.limited)
		}
	}
}

func TestFollow(t *testing.T) {
	for _, c := range []struct {
		name                            string
		from, speed, position, velocity float64
		wish                            float64
		limited                         Limit
	}{
		{"there", 0.5, 0, 0.5, 0, 0, 0},
		{"meets it", 0.5, 1, 0.5102, 1, 1.02, 0},
		{"meets it back", 0.5, -1, 0.4898, -1, -1.02, 0},
		{"catches up", 0.5, 1, 0.52, 1, 1.1, LimitAcceleration},
		{"falls back", 0.5, 1, 0.505, 1, 0.9, LimitAcceleration},
		{"beyond the end", 1.9, 0, 2, 1, 0, LimitPosition},
		{"up to the end", 1.899, 0.1, 2, 1, stoppable(0.001, 10, 0.01), LimitPosition},
		// A target that claims to fly is taken to go at full speed.
		{"impossible speed", 0.5, 2, 0.5199, 1e300, 1.99, 0},
		{"impossible speed back", 0.5, -2, 0.4801, -1e300, -1.99, 0},
	} {
		m := testMotion(t, c.from, c.speed)
		m.follow(0, c.position, c.velocity, 1)
		if math.Abs(m.wish[0]-c.wish) > 1e-9 || m.limited != c.limited {
			t.Errorf("%s: wish %.9g, limited %06b; want %g, %06b", c.name, m.wish[0], m.limited, c.wish, c.limited)
		}
	}
}

func TestApproachEndsExactlyThere(t *testing.T) {
	for _, dt := range []float64{0.001, 0.01, 0.033} {
		for _, a := range []float64{0.5, 10, 300} {
			for err := 1e-7; err < 10; err *= 1.7 {
				v, way := approach(err, a, dt), 0.0
				for u := v; u > 0; u -= a * dt {
					way += u * dt
				}
				if math.Abs(way-err) > 1e-9*err+1e-12 {
					t.Fatalf("approach(%g, %g, %g) = %g goes %g", err, a, dt, v, way)
				}
				if back := approach(-err, a, dt); back != -v {
					t.Fatalf("approach(%g) = %g, approach(%g) = %g", err, v, -err, back)
				}
			}
		}
	}
	if approach(0, 10, 0.01) != 0 {
		t.Error("approach(0) is not 0")
	}
}

func TestStoppable(t *testing.T) {
	for _, dt := range []float64{0.0001, 0.01, 0.05} {
		for distance := 1e-9; distance < 10; distance *= 3 {
			v := stoppable(distance, 10, dt)
			if way := v*dt + v*v/20; math.Abs(way-distance) > 1e-12*distance {
				t.Fatalf("stoppable(%g) at ticks of %g s = %g, which needs %g", distance, dt, v, way)
			}
		}
	}
	if stoppable(0, 10, 0.01) != 0 {
		t.Error("stoppable(0) is not 0")
	}
}

func TestBraking(t *testing.T) {
	m := testMotion(t, 0, 0)
	for _, v := range []float64{0, 0.05, 0.1, 0.35, 1, 1.99} {
		way := 0.0
		for k := range 30 {
			if k > 0 {
				way += max(0, v-float64(k)*0.1) * 0.01
			}
			for _, sign := range []float64{1, -1} {
				if got := m.braking(0, k, sign*v); math.Abs(got-sign*way) > 1e-12 {
					t.Fatalf("%d ticks of braking from %g go %g, want %g", k, sign*v, got, sign*way)
				}
			}
		}
	}
}

func TestAt(t *testing.T) {
	for _, c := range []struct{ from, velocity, want float64 }{
		{0.5, 1, 0.51}, {0.5, -1, 0.49}, {1.895, 1, 1.9}, {-1.895, -1, -1.9}, {1.95, 1, 1.95}, {1.95, -1, 1.94}, {-1.95, -1, -1.95}, {-1.95, 1, -1.94},
	} {
		if got := testMotion(t, c.from, 0).at(0, c.velocity); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("at %g from %g: %g, want %g", c.velocity, c.from, got, c.want)
		}
	}
}
