package jpeg

import (
	"bytes"
	"testing"
)

// ramp gives a picture with a slope of each colour.
func ramp(width, height int) []byte {
	rgb := make([]byte, 0, 3*width*height)
	for y := range height {
		for x := range width {
			rgb = append(rgb, byte(255*x/width), byte(255*y/height), 128)
		}
	}
	return rgb
}

func TestAPictureComesBackNearlyAsItWas(t *testing.T) {
	for _, size := range [][2]int{{64, 48}, {1, 1}, {17, 9}} {
		rgb := ramp(size[0], size[1])
		file, err := Encode(rgb, size[0], size[1], 90)
		if err != nil {
			t.Fatal(err)
		}
		width, height, back, err := Decode(file)
		if err != nil || width != size[0] || height != size[1] {
			t.Fatalf("%v came back as %d×%d, %v", size, width, height, err)
		}
		for i := range rgb {
			if d := int(rgb[i]) - int(back[i]); d < -20 || d > 20 {
				t.Fatalf("%v: byte %d was %d and is %d", size, i, rgb[i], back[i])
			}
		}
	}
}

func TestEncodeRefusesWhatIsNoPicture(t *testing.T) {
	for _, c := range []struct{ bytes, width, height int }{{0, 0, 0}, {3, 1, 2}, {12, -2, -2}, {0, 1 << 20, 1 << 20}} {
		if _, err := Encode(make([]byte, c.bytes), c.width, c.height, 90); err == nil {
			t.Errorf("%+v was encoded", c)
		}
	}
}

// FuzzDecode checks that what is taken is a whole picture.
func FuzzDecode(f *testing.F) {
	file, err := Encode(ramp(16, 16), 16, 16, 80)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Add(file[:len(file)/2])
	f.Add(bytes.Replace(file, []byte{0, 16, 0, 16}, []byte{255, 255, 255, 255}, 1))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		if w, h, err := Size(data); err != nil || w*h > 1<<20 {
			return
		}
		width, height, rgb, err := Decode(data)
		if err == nil && len(rgb) != 3*width*height {
			t.Errorf("%d bytes for %d×%d", len(rgb), width, height)
		}
	})
}
