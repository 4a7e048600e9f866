package control_test

import (
	"context"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/drivertest"
	"github.com/kuai-robot/kuai/robot"
)

// BenchmarkLoop runs the loop in real time for two seconds at each rate, alone
// and beside goroutines that compute on every processor, and gives its jitter
// and how long a stop takes to the driver.
func BenchmarkLoop(b *testing.B) {
	for _, c := range []struct {
		name string
		rate float64
		busy bool
	}{{"100Hz/idle", 100, false}, {"500Hz/idle", 500, false}, {"100Hz/busy", 100, true}, {"500Hz/busy", 500, true}} {
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				measureLoop(b, c.rate, c.busy)
			}
		})
	}
}

func measureLoop(b *testing.B, rate float64, busy bool) {
	clock := robot.NewSystemClock()
	plant := drivertest.NewPlant(drivertest.Arm(), clock, 0)
	loop := newLoop(b, drivertest.Arm(), plant, clock, control.Config{RateHz: rate, Realtime: os.Getenv("KUAI_ORDINARY") == ""})
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var sum atomic.Uint64
	if busy {
		for range runtime.NumCPU() {
			go func() {
				for n := uint64(0); ctx.Err() == nil; {
					for range 1000 {
						n = n*3 + 1
					}
					sum.Store(n)
				}
			}()
		}
	}
	var stops control.Histogram
	var asked atomic.Int64
	plant.OnWrite(func(c *robot.Command) {
		if at := robot.Time(asked.Load()); at != 0 && c.At >= at {
			stops.Add(clock.Now().Sub(at))
			asked.Store(0)
		}
	})
	go func() {
		for clock.Wait(ctx, clock.Now().Add(23*time.Millisecond)) == nil {
			asked.Store(int64(clock.Now()))
			loop.Stop("bench")
		}
	}()
	if err := loop.Run(ctx); err != nil {
		b.Fatal(err)
	}
	s := loop.Status()
	ms := func(d time.Duration) float64 { return float64(d) / 1e6 }
	b.ReportMetric(ms(s.JitterP50), "p50-ms")
	b.ReportMetric(ms(s.JitterP99), "p99-ms")
	b.ReportMetric(float64(s.Overruns), "overruns")
	b.ReportMetric(ms(stops.Quantile(0.99)), "stop-p99-ms")
	b.Log(s.Realtime)
}

// BenchmarkCollectBesideALoop measures a collection while the loop, which keeps
// its slot of the Go runtime for the last millisecond before a tick, sleeps for
// 40 ms at a time: it must not wait for the loop to wake.
func BenchmarkCollectBesideALoop(b *testing.B) {
	clock := robot.NewSystemClock()
	plant := drivertest.NewPlant(drivertest.Arm(), clock, 0)
	loop := newLoop(&testing.T{}, drivertest.Arm(), plant, clock, control.Config{RateHz: 25, Realtime: true})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- loop.Run(ctx) }()
	var h control.Histogram
	for b.Loop() {
		begin := clock.Now()
		runtime.GC()
		h.Add(clock.Now().Sub(begin))
	}
	b.ReportMetric(float64(h.Quantile(0.5))/1e6, "p50-ms")
	b.ReportMetric(float64(h.Quantile(0.99))/1e6, "p99-ms")
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}
