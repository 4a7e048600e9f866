// Package audio reads sound and turns it into what the hearing encoders take.
//
// Files go in (WAV of whole numbers or floats, raw 16-bit samples), clips of
// mono samples from −1 to 1 come out; Resample changes their rate; LogMel gives
// the log-mel spectrogram of Whisper (arXiv 2212.04356, section 2.2), one row
// of bands for each hundredth of a second.
//
// For sound that does not end there are a Resampler (libswresample), a
// Conditioner that takes out a constant offset and notices clipping, a Ring
// between the goroutine that captures and the one that hears, a Canceller that
// takes the robot's own voice out of what its microphone hears, and a Reader
// that streams a file of any length.
//
// Nothing here knows of devices; perception/microphone does. Each value belongs
// to one goroutine at a time, except a Ring, which has one on each side. A
// LogMel allocates nothing once it has seen the longest clip. Errors of readers
// name the field of the header; a header may claim what it likes, memory is
// taken only for bytes that are there.
package audio
