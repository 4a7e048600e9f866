package dataset

/*
#cgo pkg-config: libavformat libavcodec libavutil libswscale
#include <stdlib.h>
#include "video.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/kuai-robot/kuai/internal/jpeg"
)

// videoWriter writes the pictures of one camera and episode as H.264 in MP4.
type videoWriter struct {
	w             *C.kuai_mp4_writer
	width, height int
}

func createVideo(path string, width, height, fps int) (*videoWriter, error) {
	if width < 2 || height < 2 || width > jpeg.MaxSide || height > jpeg.MaxSide || width%2 != 0 || height%2 != 0 {
		return nil, fmt.Errorf("video: %d×%d pixels: both must be even and at most %d", width, height, jpeg.MaxSide)
	}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	v := &videoWriter{width: width, height: height}
	if code := C.kuai_mp4_create(&v.w, name, C.int(width), C.int(height), C.int(fps)); code < 0 {
		return nil, fmt.Errorf("video %s: %w", path, videoError(code))
	}
	return v, nil
}

// add appends a picture of the writer's size.
func (v *videoWriter) add(rgb []byte) error {
	if len(rgb) != 3*v.width*v.height {
		return fmt.Errorf("video: %d bytes are not a picture of %d×%d", len(rgb), v.width, v.height)
	}
	if code := C.kuai_mp4_add(v.w, (*C.uint8_t)(unsafe.Pointer(&rgb[0]))); code < 0 {
		return fmt.Errorf("video: %w", videoError(code))
	}
	return nil
}

// end closes the file; finish says whether it is whole.
func (v *videoWriter) end(finish bool) error {
	if v.w == nil {
		return nil
	}
	flag := C.int(0)
	if finish {
		flag = 1
	}
	code := C.kuai_mp4_end(v.w, flag)
	v.w = nil
	if code < 0 {
		return fmt.Errorf("video: %w", videoError(code))
	}
	return nil
}

// videoReader decodes the pictures of an MP4 file, one after the other.
type videoReader struct {
	r *C.kuai_mp4_reader
}

func openVideo(path string) (*videoReader, error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	v := &videoReader{}
	if code := C.kuai_mp4_open(&v.r, name); code < 0 {
		return nil, fmt.Errorf("video %s: %w", path, videoError(code))
	}
	return v, nil
}

// videoPicture is one of a video, seconds after its begin.
type videoPicture struct {
	seconds       float64
	width, height int
	rgb           []byte
}

// next gives the next picture; ok is false at the end.
func (v *videoReader) next() (p videoPicture, ok bool, err error) {
	var width, height C.int
	var seconds C.double
	code := C.kuai_mp4_next(v.r, &width, &height, &seconds)
	if code <= 0 {
		return p, false, videoError(code)
	}
	if width < 1 || height < 1 || width > jpeg.MaxSide || height > jpeg.MaxSide {
		return p, false, fmt.Errorf("a picture of %d×%d pixels", width, height)
	}
	p = videoPicture{float64(seconds), int(width), int(height), make([]byte, 3*int(width)*int(height))}
	if code := C.kuai_mp4_rgb(v.r, (*C.uint8_t)(unsafe.Pointer(&p.rgb[0])), C.size_t(len(p.rgb))); code < 0 {
		return p, false, videoError(code)
	}
	return p, true, nil
}

func (v *videoReader) close() { C.kuai_mp4_close(v.r) }

// videoError gives the words for a code below zero, nil for others.
func videoError(code C.int) error {
	if code >= 0 {
		return nil
	}
	text := make([]byte, 160)
	C.kuai_mp4_error(code, (*C.char)(unsafe.Pointer(&text[0])), C.size_t(len(text)))
	return errors.New(C.GoString((*C.char)(unsafe.Pointer(&text[0]))))
}
