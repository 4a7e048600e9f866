package vision_test

import (
	"context"
	"os"
	"testing"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/perception/encoder/vision"
)

// BenchmarkEncode is one picture through the tower of the folder $KUAI_TOWER.
func BenchmarkEncode(b *testing.B) {
	dir := os.Getenv("KUAI_TOWER")
	if dir == "" {
		b.Skip("KUAI_TOWER names no folder of a CLIP or SigLIP model")
	}
	backend := cpu.New(cpu.Options{})
	var exact []float64
	for _, precision := range []kernels.Precision{kernels.Float32, kernels.BFloat16, kernels.Int8} {
		m, err := vision.Open(dir, backend, vision.Options{Compile: kernels.Options{Precision: precision}})
		if err != nil {
			b.Fatal(err)
		}
		s, picture := session(b, m), noise(224, 224, 1) // no resize
		b.Run(precision.String(), func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Encode(context.Background(), picture); err != nil {
					b.Fatal(err)
				}
			}
			got, err := s.Encode(context.Background(), picture)
			if err != nil {
				b.Fatal(err)
			}
			if precision == kernels.Float32 {
				exact = exact[:0]
				for _, x := range got {
					exact = append(exact, float64(x))
				}
			}
			b.ReportMetric(cosine(got, exact), "cosine")
		})
	}
}

// BenchmarkResize prepares the picture of a camera for the tower.
func BenchmarkResize(b *testing.B) {
	picture := noise(640, 480, 1)
	config, err := vision.ReadConfig(tower(b, 224, true, "bicubic"))
	if err != nil {
		b.Fatal(err)
	}
	r := vision.NewResizer(config.Preprocess)
	var out []byte
	for b.Loop() {
		if out, err = r.Resize(out[:0], picture); err != nil {
			b.Fatal(err)
		}
	}
}
