package vision_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/kuai-robot/kuai/perception/encoder/vision"
)

// tower makes the folder of a tower that sees size, prepared one way: the
// weights do not matter to a resize.
func tower(t testing.TB, size int, crop bool, filter string) string {
	t.Helper()
	dir := t.TempDir()
	resample := map[string]int{"bilinear": 2, "bicubic": 3}[filter]
	prepare := fmt.Sprintf(`{"do_center_crop":false,"size":{"height":%d,"width":%d},"resample":%d}`, size, size, resample)
	if crop {
		prepare = fmt.Sprintf(`{"do_center_crop":true,"size":{"shortest_edge":%d},"crop_size":{"height":%d,"width":%d},"resample":%d}`, size, size, size, resample)
	}
	config := fmt.Sprintf(`{"model_type":"clip_vision_model","image_size":%d}`, size)
	for name, text := range map[string]string{"config.json": config, "preprocessor_config.json": prepare} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A resize gives Pillow's pixels to the bit, at any scale and shape.
func TestResizeIsPillows(t *testing.T) {
	var cases []struct {
		Width, Height, Size, Rows int
		Seed                      uint32
		Crop                      bool
		Filter, Pixels            string
	}
	readJSON(t, filepath.Join(fixtures, "resize.json"), &cases)
	if len(cases) < 15 {
		t.Fatalf("%d cases", len(cases))
	}
	for _, c := range cases {
		want, err := base64.StdEncoding.DecodeString(c.Pixels)
		if err != nil {
			t.Fatal(err)
		}
		config, err := vision.ReadConfig(tower(t, c.Size, c.Crop, c.Filter))
		if err != nil {
			t.Fatal(err)
		}
		r := vision.NewResizer(config.Preprocess)
		got, err := r.Resize(nil, noise(c.Width, c.Height, c.Seed))
		if err != nil {
			t.Fatal(err)
		}
		most, at, row := 0, 0, 3*c.Size
		for i, w := range want {
			g := got[i/row*c.Rows*row+i%row]
			if d := max(int(g)-int(w), int(w)-int(g)); d > most {
				most, at = d, i
			}
		}
		if most > 0 {
			t.Errorf("%s of %d×%d to %d, crop %v: byte %d is off by %d", c.Filter, c.Width, c.Height, c.Size, c.Crop, at, most)
		}
	}
}
