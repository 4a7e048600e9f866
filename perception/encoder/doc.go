// Package encoder builds the Transformer encoders that turn pictures, sound
// and sentences into embeddings (arXiv 1706.03762, 2010.11929).
//
// A model file goes in through a Loader, which takes named weights out of it
// and checks shapes and numbers; a Stack adds its blocks to a graph. The towers
// are built of the two: perception/encoder/vision (CLIP, SigLIP),
// perception/encoder/hearing (Whisper), fusion/embed (text).
//
// Nothing here runs: what a Stack adds is compiled and run by package kernels.
// A Stack does not change after it was loaded and may be used from any
// goroutine.
//
// Errors name the file and the tensor, or the field of config.json.
package encoder
