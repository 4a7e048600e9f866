package vision_test

import (
	"context"
	"slices"
	"testing"

	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/ref"
	"github.com/kuai-robot/kuai/perception/encoder/vision"
)

// TestCameraIsTheResizer: a backend that resizes pictures gives the embedding of
// pictures that were resized before, to the bit, at any size up to the one that it is
// made for, and above.
func TestCameraIsTheResizer(t *testing.T) {
	const most = 200 * 150
	for _, family := range []string{"clip", "siglip"} {
		before, after := open(t, family, cpu.New(cpu.Options{}), vision.Options{}), open(t, family, cpu.New(cpu.Options{}), vision.Options{Camera: most})
		plain := open(t, family, ref.New(), vision.Options{Camera: most})
		for i, size := range [][2]int{{200, 150}, {31, 97}, {1, 1}, {320, 240}, {16, 16}, {3000, 4}} {
			f := noise(size[0], size[1], uint32(i))
			want, err := before.Encode(context.Background(), f)
			if err != nil {
				t.Fatal(err)
			}
			want = slices.Clone(want)
			for name, s := range map[string]*vision.Session{"cpu": after, "ref": plain} {
				got, err := s.Encode(context.Background(), f)
				if err != nil {
					t.Fatal(err)
				}
				near := worst(got, doubles(want))
				if name == "cpu" && near != 0 || !(near < 1e-5) {
					t.Errorf("%s of %v on %s: the embedding is off by %g", family, size, name, near)
				}
			}
		}
	}
}

func doubles(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}
