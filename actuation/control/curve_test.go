package control

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kuai-robot/kuai/robot"
)

func curve(step time.Duration, values ...float64) *order {
	o := &order{chunk: robot.Chunk{Source: robot.SourcePolicy, Start: 1000, Step: step}}
	for _, v := range values {
		o.chunk.Actions = append(o.chunk.Actions, robot.Joints{v})
	}
	return o
}

func TestCurveMeetsItsActions(t *testing.T) {
	o := curve(100*time.Millisecond, 1, 2, 4, 4, 3)
	at := func(d time.Duration) robot.Time { return o.chunk.Start.Add(d) }
	for _, c := range []struct {
		at                 robot.Time
		position, velocity float64
	}{
		{at(-time.Hour), 1, 0}, {at(0), 1, 10}, {at(100 * time.Millisecond), 2, 40. / 3}, {at(200 * time.Millisecond), 4, 0},
		{at(300 * time.Millisecond), 4, 0}, {at(400 * time.Millisecond), 3, 0}, {at(time.Hour), 3, 0},
	} {
		p, v := o.at(c.at, 0)
		if math.Abs(p-c.position) > 1e-12 || math.Abs(v-c.velocity) > 1e-9 {
			t.Errorf("%v after the start: %g at %g, want %g at %g", c.at.Sub(o.chunk.Start), p, v, c.position, c.velocity)
		}
	}
	single := curve(0, 7)
	for _, d := range []time.Duration{-1, 0, time.Second} {
		if p, v := single.at(single.chunk.Start.Add(d), 0); p != 7 || v != 0 {
			t.Errorf("a single action after %v: %g at %g", d, p, v)
		}
	}
}

func TestCurveIsSmoothAndStaysBetweenItsActions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-3, 3), 2, 8).Draw(t, "actions")
		o := curve(50*time.Millisecond, values...)
		k := rapid.IntRange(0, len(values)-2).Draw(t, "k")
		at := o.chunk.Start.Add(time.Duration(k)*o.chunk.Step + time.Duration(rapid.IntRange(2000, 49_998_000).Draw(t, "offset")))
		p, v := o.at(at, 0)
		low, high := min(values[k], values[k+1]), max(values[k], values[k+1])
		if p < low-1e-9 || p > high+1e-9 {
			t.Fatalf("%g lies outside [%g, %g]", p, low, high)
		}
		const h = 1000 // ns
		before, _ := o.at(at-h, 0)
		after, _ := o.at(at+h, 0)
		if slope := (after - before) / (2 * h * 1e-9); math.Abs(slope-v) > 0.05+0.01*math.Abs(v) {
			t.Fatalf("velocity %g, but the position changes by %g a second", v, slope)
		}
	})
}

func TestRateOfAWheelIsLinear(t *testing.T) {
	o := curve(100*time.Millisecond, 1, 3)
	for d, want := range map[time.Duration]float64{-1: 1, 0: 1, 50 * time.Millisecond: 2, 100 * time.Millisecond: 3, time.Hour: 3} {
		if got := o.rate(o.chunk.Start.Add(d), 0); math.Abs(got-want) > 1e-12 {
			t.Errorf("after %v: %g, want %g", d, got, want)
		}
	}
}

func TestOffsetDiesAway(t *testing.T) {
	m := motion{from: 500}
	m.over[0], m.off[0], m.speed[0] = 0.1, 0.2, -1
	const over = 100 * time.Millisecond
	if off, speed := m.offset(500, 0); off != 0.2 || math.Abs(speed+1) > 1e-12 {
		t.Errorf("begins with %g at %g, want 0.2 at -1", off, speed)
	}
	if off, speed := m.offset(m.from.Add(over-1), 0); math.Abs(off) > 1e-9 || math.Abs(speed) > 1e-6 {
		t.Errorf("ends with %g at %g, want nothing", off, speed)
	}
	if off, speed := m.offset(m.from.Add(over), 0); off != 0 || speed != 0 {
		t.Errorf("after the end %g at %g", off, speed)
	}
}

func TestHistogram(t *testing.T) {
	var h Histogram
	if h.Quantile(0.99) != 0 || h.Count() != 0 {
		t.Error("an empty histogram has values")
	}
	h.Add(-time.Second)
	if got := h.Quantile(1); got != time.Microsecond {
		t.Errorf("a negative duration counts as %v, want the first bucket", got)
	}
	for d := time.Microsecond; d < time.Minute; d = d * 21 / 20 {
		b := bucket(d)
		if d >= edge(b) || b > 0 && d < edge(b-1) {
			t.Fatalf("%v falls into bucket %d, %v to %v", d, b, edge(b-1), edge(b))
		}
		if wide := float64(edge(b)) / float64(edge(b-1)); wide > 1.13 {
			t.Fatalf("bucket %d is %.2f wide", b, wide)
		}
	}
	if bucket(time.Hour) != buckets-1 || edge(buckets-1) < time.Minute {
		t.Errorf("the last bucket ends at %v", edge(buckets-1))
	}
	h = Histogram{}
	for i := range 1000 {
		h.Add(time.Duration(i+1) * time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{0.5: 500 * time.Millisecond, 0.99: 990 * time.Millisecond, 1: time.Second} {
		if got := h.Quantile(q); got < want || got > want*113/100 {
			t.Errorf("quantile %g = %v, want %v and at most an eighth more", q, got, want)
		}
	}
	if h.Count() != 1000 {
		t.Errorf("Count = %d", h.Count())
	}
}
