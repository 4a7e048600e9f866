package jpeg

/*
#cgo pkg-config: libjpeg
#include <stdlib.h>
#include "file.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// MaxSide bounds the width and height of a picture, pixels.
const MaxSide = 8192

// Encode gives the JPEG file of a picture; quality is libjpeg's, 1 to 100.
func Encode(rgb []byte, width, height, quality int) ([]byte, error) {
	if width < 1 || height < 1 || width > MaxSide || height > MaxSide {
		return nil, fmt.Errorf("jpeg: a picture of %d×%d pixels", width, height)
	}
	if len(rgb) != 3*width*height {
		return nil, fmt.Errorf("jpeg: %d bytes are not a picture of %d×%d", len(rgb), width, height)
	}
	var file *C.uint8_t
	var size C.size_t
	var text [C.KUAI_JPEG_TEXT]C.char
	if C.kuai_jpeg_encode((*C.uint8_t)(unsafe.Pointer(&rgb[0])), C.int(width), C.int(height), C.int(quality), &file, &size, &text[0]) != 0 {
		return nil, fmt.Errorf("jpeg: %s", C.GoString(&text[0]))
	}
	defer C.free(unsafe.Pointer(file))
	return C.GoBytes(unsafe.Pointer(file), C.int(size)), nil
}

// Size gives the width and height of a JPEG file from its headers.
func Size(file []byte) (width, height int, err error) {
	if len(file) == 0 {
		return 0, 0, errors.New("jpeg: empty")
	}
	var w, h C.int
	var text [C.KUAI_JPEG_TEXT]C.char
	if C.kuai_jpeg_size((*C.uint8_t)(unsafe.Pointer(&file[0])), C.size_t(len(file)), &w, &h, &text[0]) != 0 {
		return 0, 0, fmt.Errorf("jpeg: %s", C.GoString(&text[0]))
	}
	if w < 1 || h < 1 || w > MaxSide || h > MaxSide {
		return 0, 0, fmt.Errorf("jpeg: %d×%d pixels", w, h)
	}
	return int(w), int(h), nil
}

// Decode gives the pixels of a JPEG file.
func Decode(file []byte) (width, height int, rgb []byte, err error) {
	width, height, err = Size(file)
	if err != nil {
		return 0, 0, nil, err
	}
	rgb = make([]byte, 3*width*height)
	var text [C.KUAI_JPEG_TEXT]C.char
	if C.kuai_jpeg_decode((*C.uint8_t)(unsafe.Pointer(&file[0])), C.size_t(len(file)), C.int(width), C.int(height), (*C.uint8_t)(unsafe.Pointer(&rgb[0])), &text[0]) != 0 {
		return 0, 0, nil, fmt.Errorf("jpeg: %s", C.GoString(&text[0]))
	}
	return width, height, rgb, nil
}
