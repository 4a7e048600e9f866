// Package audio reads sound and turns it into what the hearing encoders take.
//
// Files go in (WAV of whole numbers or floats, raw 16-bit samples), clips of
// mono samples from −1 to 1 come out; Resample changes their rate; LogMel gives
// the log-mel spectrogram of Whisper (arXiv 2212.04356, section 2.2), one row
// of bands for each hundredth of a second.
//
// Nothing here knows of microphones or time. A LogMel belongs to one goroutine
// at a time and allocates nothing once it has seen the longest clip. Errors of
// readers name the field of the header; a header may claim what it likes, memory
// is taken only for bytes that are there.
package audio
