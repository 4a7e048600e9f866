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
