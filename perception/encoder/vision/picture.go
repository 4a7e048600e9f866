package vision

import (
	"fmt"
	"image"
	"image/color"
	_ "image/gif"  // a format that Decode reads
	_ "image/jpeg" // a format that Decode reads
	_ "image/png"  // a format that Decode reads
	"io"

	"github.com/kuai-robot/kuai/robot"
)

// maxPixels bounds a picture: a file of a few bytes can claim any size.
const maxPixels = 64 << 20

// Decode reads a JPEG, PNG or GIF picture. Transparency is dropped, as Pillow's
// convert("RGB") does. What the header says is checked before memory is taken
// for it.
func Decode(file io.ReadSeeker) (*robot.Frame, error) {
	header, format, err := image.DecodeConfig(file)
	if err != nil {
		return nil, fmt.Errorf("picture: %w (kuai reads JPEG, PNG and GIF)", err)
	}
	if header.Width < 1 || header.Height < 1 || header.Width > maxPixels/header.Height {
		return nil, fmt.Errorf("%s picture: the header says %d×%d pixels, want 1 to %d million (scale it down first)",
			format, header.Width, header.Height, maxPixels>>20)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("picture: %w", err)
	}
	decoded, _, err := image.Decode(file)
	if err != nil {
		return nil, fmt.Errorf("%s picture: %w", format, err)
	}
	return convert(decoded), nil
}

func convert(picture image.Image) *robot.Frame {
	b := picture.Bounds()
	f := &robot.Frame{Width: b.Dx(), Height: b.Dy(), Pixels: make([]byte, 3*b.Dx()*b.Dy())}
	out := f.Pixels
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.NRGBAModel.Convert(picture.At(x, y)).(color.NRGBA)
			out[0], out[1], out[2] = c.R, c.G, c.B
			out = out[3:]
		}
	}
	return f
}
