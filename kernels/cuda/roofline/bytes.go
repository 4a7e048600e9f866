package roofline

import "unsafe"

// bytesOf reads words as bytes, which keeps them aligned.
func bytesOf(words []uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), 8*len(words))
}
