package room_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/room"
)

func level(samples []float32) float64 {
	sum := 0.0
	for _, x := range samples {
		sum += float64(x) * float64(x)
	}
	return 20 * math.Log10(math.Sqrt(sum/float64(len(samples)))+1e-12)
}

func tone(n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = float32(0.3 * math.Sin(2*math.Pi*440*float64(i)/room.Rate))
	}
	return s
}

func second(s float64) robot.Time { return robot.Time(s * float64(time.Second)) }

func TestTheNoiseHasItsLevel(t *testing.T) {
	for _, want := range []float64{-60, -40, -25} {
		samples := make([]float32, 2*room.Rate)
		room.New(room.Options{Noise: want}).Hear(samples, second(1))
		if got := level(samples); math.Abs(got-want) > 2 {
			t.Errorf("noise of %.1f dB, want %.0f", got, want)
		}
	}
}

func TestAPersonIsHeardWhenAndAsFarAsTheyStand(t *testing.T) {
	r := room.New(room.Options{Noise: -90})
	r.Say(second(1.5), 1, tone(room.Rate/2))
	r.Say(second(2.5), 2, tone(room.Rate/2))
	samples := make([]float32, 3*room.Rate)
	r.Hear(samples, second(1))
	at := func(s float64) []float32 { return samples[int((s-1)*room.Rate):int((s-0.9)*room.Rate)] }
	if level(at(1.2)) > -80 || level(at(2.2)) > -80 {
		t.Errorf("silence of %.0f and %.0f dB", level(at(1.2)), level(at(2.2)))
	}
	if d := level(at(1.7)) - level(at(2.7)); math.Abs(d-6) > 0.2 {
		t.Errorf("twice the distance is %.1f dB quieter, want 6", d)
	}
}

func TestReverbRingsOn(t *testing.T) {
	for reverb, want := range map[time.Duration]bool{0: false, 500 * time.Millisecond: true} {
		r := room.New(room.Options{Noise: -100, Reverb: reverb})
		r.Say(second(1), 1, tone(room.Rate/2))
		after := make([]float32, room.Rate/20)
		r.Hear(after, second(1.52))
		if got := level(after) > -70; got != want {
			t.Errorf("%v: %.0f dB after the end", reverb, level(after))
		}
	}
}

func TestTheSameSeedIsTheSameRoom(t *testing.T) {
	hear := func(seed uint64) []float32 {
		r := room.New(room.Options{Seed: seed, Reverb: 300 * time.Millisecond})
		r.Say(second(1), 1, tone(8000))
		samples := make([]float32, room.Rate)
		r.Hear(samples, second(1))
		return samples
	}
	if !slices.Equal(hear(3), hear(3)) || slices.Equal(hear(3), hear(4)) {
		t.Error("the seed does not decide")
	}
}

func TestTheLoudspeakerFallsSilentWhenHushed(t *testing.T) {
	clock := robot.NewManualClock(time.Unix(0, 0), second(1))
	r := room.New(room.Options{Clock: clock, Noise: -100})
	ctx, hush := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	var from robot.Time
	go func() { ended <- r.Emit(ctx, tone(2*room.Rate), func(at robot.Time) { from = at }) }()
	for clock.Waiting() == 0 {
	}
	clock.Advance(500 * time.Millisecond)
	hush()
	if err := <-ended; !errors.Is(err, context.Canceled) || from != second(1) {
		t.Fatalf("%v, from %v", err, from)
	}
	samples := make([]float32, 2*room.Rate)
	r.Hear(samples, second(1))
	if level(samples[:room.Rate/2]) < -30 || level(samples[room.Rate/2+100:]) > -80 {
		t.Errorf("%.0f dB before, %.0f after", level(samples[:room.Rate/2]), level(samples[room.Rate/2+100:]))
	}
}

func TestPlayKeepsThePaceOfTheClock(t *testing.T) {
	clock := robot.NewManualClock(time.Unix(0, 0), second(1))
	r := room.New(room.Options{Clock: clock})
	ctx, stop := context.WithCancel(t.Context())
	heard := make(chan robot.Time)
	ended := make(chan error, 1)
	go func() {
		ended <- r.Play(ctx, func(at robot.Time, rate int, samples []float32) {
			if rate != room.Rate || len(samples) != room.Rate/50 {
				t.Errorf("%d samples at %d Hz", len(samples), rate)
			}
			heard <- at
		})
	}()
	for i := range 3 {
		for clock.Waiting() == 0 {
		}
		clock.Advance(20 * time.Millisecond)
		if at := <-heard; at != second(1).Add(time.Duration(i)*20*time.Millisecond) {
			t.Errorf("piece %d at %v", i, at)
		}
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
