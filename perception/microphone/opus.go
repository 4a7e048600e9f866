package microphone

/*
#cgo pkg-config: libavcodec libavutil
#include "opus.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// opusDecoder decodes Opus (RFC 6716) as RTP carries it (RFC 7587).
type opusDecoder struct {
	opus    *C.kuai_opus
	samples []float32
}

func newOpusDecoder() (decoder, error) {
	opus := C.kuai_opus_open()
	if opus == nil {
		return nil, errors.New("libavcodec has no decoder for Opus (install libavcodec-extra, or switch the microphone to PCMU)")
	}
	return &opusDecoder{opus: opus, samples: make([]float32, C.KUAI_OPUS_MOST)}, nil
}

func (d *opusDecoder) rate() int { return C.KUAI_OPUS_RATE }

func (d *opusDecoder) decode(payload []byte) ([]float32, error) {
	if len(payload) == 0 {
		return nil, errors.New("an empty packet of Opus")
	}
	n := C.kuai_opus_decode(d.opus, (*C.uint8_t)(unsafe.Pointer(&payload[0])), C.size_t(len(payload)), (*C.float)(unsafe.Pointer(&d.samples[0])), C.int(len(d.samples)))
	if n < 0 {
		return nil, fmt.Errorf("a packet of Opus that libavcodec cannot read (error %d)", int(n))
	}
	return d.samples[:n], nil
}

func (d *opusDecoder) close() { C.kuai_opus_close(d.opus) }
