//go:build !noopencv

package dataset

import (
	"bytes"
	"math"
	"testing"
)

const (
	faceWidth, faceHeight = 640, 480
	// Where the drawn face is, and half its width.
	faceX, faceY, faceSize = 320.0, 220.0, 60.0
)

// drawFace gives a picture of a wall and, if there is one, a drawn face before
// it: skin, hair, eyes with brows, a nose and a mouth, soft as through a lens.
func drawFace(there bool) []byte {
	rgb := make([]byte, 0, 3*faceWidth*faceHeight)
	for y := range faceHeight {
		for x := range faceWidth {
			var sum [3]float64
			for _, o := range [][2]float64{{-2, -2}, {2, -2}, {0, 0}, {-2, 2}, {2, 2}} {
				c := faceAt((float64(x)+o[0]-faceX)/faceSize, (float64(y)+o[1]-faceY)/faceSize, there)
				for i := range sum {
					sum[i] += c[i] / 5
				}
			}
			rgb = append(rgb, byte(sum[0]), byte(sum[1]), byte(sum[2]))
		}
	}
	return rgb
}

// faceAt gives the colour at a place, in half widths of the face from its
// middle.
func faceAt(x, y float64, there bool) [3]float64 {
	within := func(cx, cy, rx, ry float64) bool {
		return math.Hypot((math.Abs(x)-cx)/rx, (y-cy)/ry) <= 1
	}
	middle := func(cy, rx, ry float64) bool { return math.Hypot(x/rx, (y-cy)/ry) <= 1 }
	switch {
	case !there:
		return [3]float64{140, 150, 150}
	case within(0.42, -0.15, 0.08, 0.08):
		return [3]float64{30, 30, 30} // pupils
	case within(0.42, -0.15, 0.18, 0.09):
		return [3]float64{240, 240, 240}
	case within(0.42, -0.42, 0.26, 0.05):
		return [3]float64{60, 50, 40} // brows
	case within(0.42, -0.15, 0.26, 0.16):
		return [3]float64{165, 130, 110}
	case middle(0.33, 0.18, 0.06), middle(0.1, 0.04, 0.2):
		return [3]float64{175, 140, 120} // nose
	case middle(0.65, 0.35, 0.1):
		return [3]float64{170, 90, 90} // mouth
	case y < -0.95 && middle(-1, 1.05, 0.55):
		return [3]float64{60, 50, 40} // hair
	case middle(0, 1, 1.35):
		return [3]float64{225, 190, 170}
	}
	return [3]float64{140, 150, 150}
}

func TestFacesAreHidden(t *testing.T) {
	if _, err := findCascade(cascades[0]); err != nil {
		t.Skip(err)
	}
	f, err := newFaces(10)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	hidden, original := drawFace(true), drawFace(true)
	if err := f.hide(hidden, faceWidth, faceHeight); err != nil {
		t.Fatal(err)
	}
	at := func(rgb []byte, x, y int) []byte { return rgb[3*(y*faceWidth+x) : 3*(y*faceWidth+x)+3] }
	if f.found == 0 || f.frames != 1 {
		t.Fatalf("%d faces in %d frames", f.found, f.frames)
	}
	// The pupil is gone, and so is the edge between it and the white of the eye.
	x, y := int(math.Round(faceX+0.42*faceSize)), int(math.Round(faceY-0.15*faceSize))
	if bytes.Equal(at(hidden, x, y), at(original, x, y)) || !bytes.Equal(at(hidden, x, y), at(hidden, x+3, y)) && !bytes.Equal(at(hidden, x, y), at(hidden, x-3, y)) {
		t.Errorf("the eye is %v beside %v, it was %v", at(hidden, x, y), at(hidden, x+3, y), at(original, x, y))
	}
	if !bytes.Equal(hidden[:3*100*faceWidth], original[:3*100*faceWidth]) {
		t.Error("the wall above the face was changed")
	}
	// A face that is missed in the next picture stays hidden for a while.
	next := drawFace(true)
	for i := range next {
		next[i] /= 16 // too dark for any classifier
	}
	dark := bytes.Clone(next)
	if err := f.hide(next, faceWidth, faceHeight); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(next, dark) {
		t.Error("the face came back with the next picture")
	}
	empty := drawFace(false)
	f.forget()
	if err := f.hide(empty, faceWidth, faceHeight); err != nil || !bytes.Equal(empty, drawFace(false)) {
		t.Errorf("a wall was changed: %v", err)
	}
}
