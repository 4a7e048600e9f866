// Package checkpoint reads model files into named tensors: GGUF (as llama.cpp
// writes it), safetensors (as the Hugging Face libraries write it) and the
// model.bin of CTranslate2.
//
// A file goes in by path, is mapped, and comes out as a File: tensors with
// dtype, shape and bytes that lie in the mapping, and the metadata beside them.
// Nothing is converted on the way; Tensor.Float32 converts when asked.
//
// Files are never trusted. Every count, length, offset, dtype and shape is
// checked against the size of the file before a byte of a tensor is used or
// memory is taken for it: an error names the file and the tensor or field. What
// cannot be checked is a file that somebody truncates while it is mapped; the
// system then ends the process, so replace model files by renaming.
//
// A File and its tensors may be read from any goroutine. Close ends the mapping
// and with it every Tensor.Data.
package checkpoint
