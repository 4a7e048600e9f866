package vla

import (
	"fmt"

	"github.com/kuai-robot/kuai/robot"
)

// Shrink cuts the frame around its middle to the shape of size, height and width,
// and averages it down into out: RGB, row by row.
func Shrink(out []byte, size [2]int, f *robot.Frame) error {
	if f.Width < 1 || f.Height < 1 || len(f.Pixels) != 3*f.Width*f.Height {
		return fmt.Errorf("policy: camera %s: %d bytes for %d×%d pixels", f.Camera, len(f.Pixels), f.Width, f.Height)
	}
	height, width := size[0], size[1]
	if f.Width < width || f.Height < height {
		return fmt.Errorf("policy: camera %s: %d×%d pixels, the policy needs %d×%d or more", f.Camera, f.Width, f.Height, width, height)
	}
	if f.Width == width && f.Height == height {
		copy(out, f.Pixels)
		return nil
	}
	// The part of the frame that has the shape.
	w, h := f.Width, f.Width*height/width
	if h > f.Height {
		w, h = f.Height*width/height, f.Height
	}
	left, top := (f.Width-w)/2, (f.Height-h)/2
	for y := range height {
		y0, y1 := top+y*h/height, top+max((y+1)*h/height, y*h/height+1)
		for x := range width {
			x0, x1 := left+x*w/width, left+max((x+1)*w/width, x*w/width+1)
			average(out[3*(y*width+x):][:3], f, x0, x1, y0, y1)
		}
	}
	return nil
}

// average writes the mean colour of a rectangle of the frame.
func average(out []byte, f *robot.Frame, x0, x1, y0, y1 int) {
	var sum [3]int
	for y := y0; y < y1; y++ {
		row := f.Pixels[3*(y*f.Width+x0) : 3*(y*f.Width+x1)]
		for i := 0; i < len(row); i += 3 {
			sum[0] += int(row[i])
			sum[1] += int(row[i+1])
			sum[2] += int(row[i+2])
		}
	}
	n := (x1 - x0) * (y1 - y0)
	for c := range out {
		out[c] = byte((sum[c] + n/2) / n)
	}
}
