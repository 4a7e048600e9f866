package camera

/*
#cgo pkg-config: libavcodec libavutil libswscale
#include <stdlib.h>
#include "video.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/kuai-robot/kuai/internal/jpeg"
	"github.com/kuai-robot/kuai/perception/rtsp"
	"github.com/kuai-robot/kuai/robot"
)

const (
	codecH264 = C.KUAI_H264
	codecH265 = C.KUAI_H265
)

// maxPending bounds the stamps that wait for their pictures: no stream reorders
// further than 16 pictures (H.264 §A.3.1), the rest were never decodable.
const maxPending = 64

// videoDecoder decodes H.264 and H.265. One goroutine at a time uses it.
type videoDecoder struct {
	video *C.kuai_video
	// pending has the stamps of units whose pictures have not come out yet.
	pending map[robot.Time]rtsp.Stamp
	// parameters are the stream's parameter sets from the session description,
	// which not every camera repeats in the stream.
	parameters []byte
}

func newVideoDecoder(codec C.int, parameters [][]byte) (*videoDecoder, error) {
	video := C.kuai_video_open(codec)
	if video == nil {
		return nil, errors.New("libavcodec has no decoder for this video (install libavcodec-extra, or switch the camera to M-JPEG)")
	}
	return &videoDecoder{video: video, pending: map[robot.Time]rtsp.Stamp{}, parameters: annexB(parameters)}, nil
}

// decode implements decoder.
func (d *videoDecoder) decode(u unit, want bool, out sink) {
	if d.parameters != nil {
		u.data = append(d.parameters, u.data...)
		d.parameters = nil
	}
	if len(u.data) == 0 {
		return
	}
	if len(d.pending) == maxPending {
		clear(d.pending)
	}
	d.pending[u.stamp.At] = u.stamp
	code := C.kuai_video_send(d.video, (*C.uint8_t)(unsafe.Pointer(&u.data[0])), C.size_t(len(u.data)), C.int64_t(u.stamp.At))
	if code < 0 {
		out.corrupt(videoError(code))
		return
	}
	for d.receive(want, out) {
	}
}

// receive takes one picture out of the decoder, if it has one.
func (d *videoDecoder) receive(want bool, out sink) bool {
	var width, height C.int
	var at C.int64_t
	code := C.kuai_video_receive(d.video, &width, &height, &at)
	if code < 0 {
		out.corrupt(videoError(code))
		return false
	}
	if code == 0 {
		return false
	}
	stamp, known := d.pending[robot.Time(at)]
	delete(d.pending, robot.Time(at))
	switch {
	case !known:
		out.corrupt(errors.New("video: a picture without a time stamp"))
	case !want:
		out.drop(1)
	case width > jpeg.MaxSide || height > jpeg.MaxSide:
		out.corrupt(fmt.Errorf("video: %d×%d pixels", width, height))
	default:
		pixels := make([]byte, 3*int(width)*int(height))
		if code := C.kuai_video_rgb(d.video, (*C.uint8_t)(unsafe.Pointer(&pixels[0])), C.size_t(len(pixels))); code < 0 {
			out.corrupt(videoError(code))
			return true
		}
		out.deliver(picture{stamp: stamp, width: int(width), height: int(height), pixels: pixels})
	}
	return true
}

func (d *videoDecoder) close() { C.kuai_video_close(d.video) }

func videoError(code C.int) error {
	text := make([]byte, 128)
	C.kuai_video_error(code, (*C.char)(unsafe.Pointer(&text[0])), C.size_t(len(text)))
	return fmt.Errorf("video: %s", C.GoString((*C.char)(unsafe.Pointer(&text[0]))))
}
