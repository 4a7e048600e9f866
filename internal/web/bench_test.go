package web

import (
	"testing"

	"github.com/kuai-robot/kuai/robot"
)

// BenchmarkEncode is what a picture costs when its camera does not send JPEG,
// once for all who watch.
func BenchmarkEncode(b *testing.B) {
	frame := robot.Frame{Width: 640, Height: 480, Pixels: make([]byte, 3*640*480)}
	for i := range frame.Pixels {
		frame.Pixels[i] = byte(i/977 + i%13)
	}
	for b.Loop() {
		if _, err := encode(&frame); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPublish is what a state costs the daemon with 20 pages open.
func BenchmarkPublish(b *testing.B) {
	h := newHub()
	for range 20 {
		h.open()
	}
	payload := make([]byte, 1000)
	b.ReportAllocs()
	for b.Loop() {
		h.publish("state", payload)
	}
}
