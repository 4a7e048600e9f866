// Package hearing is the audio tower of Whisper (arXiv 2212.04356): a log-mel
// spectrogram goes in, embeddings of the sound come out, one for each fiftieth
// of a second.
//
// Both layouts of the public files are read: Hugging Face (config.json and
// safetensors) and CTranslate2 (model.bin, which faster-whisper has). A Reader
// hides which one it is, also from the decoder in fusion/speech.
//
// The tower computes as many frames as it is given, not the 30 seconds that the
// model was trained with: positions are absolute, so that the first seconds of
// a long context and a short context see the same numbers. Callers leave some
// silence after the speech, which tells the decoder that the speech has ended.
//
// Nothing here runs: Build adds to a graph. Errors name the file and the tensor
// or field.
package hearing
