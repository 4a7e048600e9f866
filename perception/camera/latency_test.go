package camera

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/rtsp"
)

// BenchmarkLatency measures from a picture in memory to the frame on the other
// side of an RTSP connection: encoding, packets, the network, decoding.
func BenchmarkLatency(b *testing.B) {
	for _, size := range [][2]int{{320, 240}, {640, 480}} {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			clock := robot.NewSystemClock()
			s, err := rtsp.New(rtsp.Options{Listen: "127.0.0.1:0", Clock: clock, Cameras: []string{"front"}})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			came := make(chan robot.Time, 1)
			c, err := New(Config{Name: "front", URL: s.URL("front")}, clock, func(robot.Frame) { came <- clock.Now() }, nil)
			if err != nil {
				b.Fatal(err)
			}
			go func() { _ = c.Run(b.Context()) }()
			f := &robot.Frame{Camera: "front", Width: size[0], Height: size[1], Pixels: paint(size[0], size[1])}
			seed := uint32(1)
			for i := range f.Pixels { // noise, which costs what a photograph costs
				seed = seed*1664525 + 1013904223
				f.Pixels[i] += byte(seed >> 29)
			}
			for !s.Watched("front") {
				_ = clock.Wait(b.Context(), clock.Now().Add(time.Millisecond))
			}
			_ = clock.Wait(b.Context(), clock.Now().Add(50*time.Millisecond)) // until the reader is served

			var took []time.Duration
			for b.Loop() {
				f.At = clock.Now()
				if err := s.Publish(f); err != nil {
					b.Fatal(err)
				}
				took = append(took, (<-came).Sub(f.At))
				_ = clock.Wait(b.Context(), clock.Now().Add(2*time.Millisecond))
			}
			slices.Sort(took)
			ms := func(share float64) float64 { return took[int(share*float64(len(took)-1))].Seconds() * 1e3 }
			b.ReportMetric(ms(0.5), "p50-ms")
			b.ReportMetric(ms(0.99), "p99-ms")
		})
	}
}
