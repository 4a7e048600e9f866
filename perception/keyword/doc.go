// Package keyword hears a few words the moment they end: those that stop the
// robot and those that wake it. It listens to every 20 ms of sound, beside and
// before recognition, and needs nobody to fall silent.
//
// Sound goes in, in pieces of any length; hits come out:
//
//	model, err := keyword.Builtin(backend)
//	detector, err := model.NewDetector(keyword.Stop(), keyword.Wake())
//	hits, err := detector.Process(ctx, samples) // mono at audio.Rate, from −1 to 1
//	for _, h := range hits {                    // h.Group "stop", h.Word "停", h.Score 0.98, h.End 48000
//
// A hit comes 40 to 280 ms after the end of its word. Its End is the sample, from
// the start or the last Reset on, where the word is thought to have ended.
//
// The network is three convolutions over 64 mel bands, an LSTM and a softmax over the
// words of Words and none of them; train/voice made it, of synthetic voices alone
// (docs/models-voice.md has how well it hears which, and that it does not yet
// reach its bars). False stops are preferred to missed ones.
//
// A Model is safe for use from many goroutines, a Detector follows one microphone
// and belongs to one goroutine at a time. Process allocates nothing. Sound with
// NaN or infinity in it is an error and is not heard at all; after any other
// error, such as a cancelled context, Reset the detector.
package keyword
