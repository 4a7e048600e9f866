//go:build noopencv

package dataset

import "errors"

// faces would make faces unrecognisable, which takes OpenCV.
type faces struct{ found, frames int }

func newFaces(int) (*faces, error) {
	return nil, errors.New("faces: this kuai was built without OpenCV, which finds them (export on another machine)")
}

func (f *faces) forget()                     {}
func (f *faces) hide([]byte, int, int) error { return errors.New("faces: no OpenCV") }
func (f *faces) close() error                { return nil }
