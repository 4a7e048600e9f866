//go:build !noopencv

package dataset

import (
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"

	"gocv.io/x/gocv"
)

// cascades are the classifiers of OpenCV that look for faces (Viola and Jones
// 2001), from the front and from the side.
var cascades = []string{"haarcascade_frontalface_alt2.xml", "haarcascade_profileface.xml"}

// cascadeFolders are where Debian and OpenCV's own build put them.
var cascadeFolders = []string{"/usr/share/opencv4/haarcascades", "/usr/local/share/opencv4/haarcascades", "/usr/share/opencv/haarcascades"}

// faces makes faces in the pictures of one camera unrecognisable.
type faces struct {
	classifiers []gocv.CascadeClassifier
	hold        int // frames
	recent      []hidden
	// found counts faces, frames those with at least one.
	found, frames int
}

// hidden is a place that stays hidden for so many frames more: a face that is
// missed in a frame between two is still there.
type hidden struct {
	where image.Rectangle
	left  int
}

// newFaces loads the classifiers; fps is how many pictures a second follow.
func newFaces(fps int) (*faces, error) {
	f := &faces{hold: max(1, fps/2)}
	for _, name := range cascades {
		path, err := findCascade(name)
		if err != nil {
			return nil, errors.Join(err, f.close())
		}
		c := gocv.NewCascadeClassifier()
		f.classifiers = append(f.classifiers, c)
		if !c.Load(path) {
			return nil, errors.Join(fmt.Errorf("faces: %s cannot be loaded", path), f.close())
		}
	}
	return f, nil
}

func findCascade(name string) (string, error) {
	for _, folder := range cascadeFolders {
		if path := filepath.Join(folder, name); fileExists(path) {
			return path, nil
		}
	}
	return "", fmt.Errorf("faces: %s is not installed, so faces cannot be found (install opencv-data)", name)
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// The search is done in a picture of at most searchWidth pixels, in which the
// smallest face that is known is 24 wide, over sizes that grow by searchStep;
// searchAgree of them must agree on a face, else every bowl would be one.
const (
	searchWidth = 400
	searchStep  = 1.15
	searchAgree = 5
)

// forget begins a new episode.
func (f *faces) forget() { f.recent = nil }

// hide blurs the faces in an RGB picture, in place.
func (f *faces) hide(rgb []byte, width, height int) error {
	picture, err := gocv.NewMatFromBytes(height, width, gocv.MatTypeCV8UC3, rgb)
	if err != nil {
		return fmt.Errorf("faces: %w", err)
	}
	defer picture.Close()
	grey := gocv.NewMat()
	defer grey.Close()
	gocv.CvtColor(picture, &grey, gocv.ColorRGBToGray)
	scale := max(1, float64(width)/searchWidth)
	gocv.Resize(grey, &grey, image.Pt(int(float64(width)/scale), int(float64(height)/scale)), 0, 0, gocv.InterpolationArea)
	gocv.EqualizeHist(grey, &grey)
	var kept []hidden
	for _, h := range f.recent {
		if h.left > 0 {
			kept = append(kept, hidden{h.where, h.left - 1})
		}
	}
	n := 0
	for _, c := range f.classifiers {
		for _, r := range c.DetectMultiScaleWithParams(grey, searchStep, searchAgree, 0, image.Pt(0, 0), image.Pt(0, 0)) {
			// Hair, ears and chin lie beyond what the classifier was trained on.
			r = r.Inset(-r.Dx() / 4)
			r = image.Rect(int(float64(r.Min.X)*scale), int(float64(r.Min.Y)*scale), int(float64(r.Max.X)*scale), int(float64(r.Max.Y)*scale))
			kept = append(kept, hidden{r.Intersect(image.Rect(0, 0, width, height)), f.hold})
			n++
		}
	}
	f.recent = kept
	if n > 0 {
		f.found, f.frames = f.found+n, f.frames+1
	}
	for _, h := range kept {
		pixelate(rgb, width, h.where)
	}
	return nil
}

// mosaic is how many blocks a hidden face has along its width: too few to tell
// who it is.
const mosaic = 6

// pixelate replaces a rectangle by blocks of its mean colours.
func pixelate(rgb []byte, width int, r image.Rectangle) {
	size := max(1, r.Dx()/mosaic)
	for y := r.Min.Y; y < r.Max.Y; y += size {
		for x := r.Min.X; x < r.Max.X; x += size {
			flatten(rgb, width, image.Rect(x, y, x+size, y+size).Intersect(r))
		}
	}
}

func flatten(rgb []byte, width int, r image.Rectangle) {
	var sum [3]int
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			for c := range sum {
				sum[c] += int(rgb[3*(y*width+x)+c])
			}
		}
	}
	n := r.Dx() * r.Dy()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			for c := range sum {
				rgb[3*(y*width+x)+c] = byte(sum[c] / n)
			}
		}
	}
}

func (f *faces) close() error {
	var errs []error
	for i := range f.classifiers {
		errs = append(errs, f.classifiers[i].Close())
	}
	return errors.Join(errs...)
}
