package camera

/*
#cgo pkg-config: libjpeg
#include "jpeg.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// maxSide bounds a picture's width and height before anything is allocated.
const maxSide = 8192

// decodeJPEG gives RGB pixels, row by row. The bytes may be anything: what is
// not a whole JPEG file of a sane size is an error.
func decodeJPEG(file []byte) (width, height int, rgb []byte, err error) {
	if len(file) == 0 {
		return 0, 0, nil, errors.New("jpeg: empty")
	}
	var w, h C.int
	var text [C.KUAI_JPEG_TEXT]C.char
	data, size := (*C.uint8_t)(unsafe.Pointer(&file[0])), C.size_t(len(file))
	if C.kuai_jpeg_size(data, size, &w, &h, &text[0]) != 0 {
		return 0, 0, nil, fmt.Errorf("jpeg: %s", C.GoString(&text[0]))
	}
	if w < 1 || h < 1 || w > maxSide || h > maxSide {
		return 0, 0, nil, fmt.Errorf("jpeg: %d×%d pixels", w, h)
	}
	rgb = make([]byte, 3*int(w)*int(h))
	if C.kuai_jpeg_rgb(data, size, w, h, (*C.uint8_t)(unsafe.Pointer(&rgb[0])), &text[0]) != 0 {
		return 0, 0, nil, fmt.Errorf("jpeg: %s", C.GoString(&text[0]))
	}
	return int(w), int(h), rgb, nil
}
