// Package speech turns sound into text: Whisper (arXiv 2212.04356), its tower
// from perception/encoder/hearing and its decoder here.
//
// A folder goes in, in the layout of Hugging Face or of CTranslate2, and a
// Recogniser comes out, compiled for a backend. Its sessions transcribe clips
// of 16 kHz:
//
//	r, err := speech.Open(dir, backend, speech.Options{})
//	session, err := r.NewSession()
//	result, err := session.Transcribe(ctx, samples, "en")
//
// # What is computed
//
// The tower sees the clip and a second of silence, not the 30 seconds that the
// model was trained with; what each layer of the decoder attends to is computed
// with it, once. Behind it the decoder finds remembered silence, so that it
// knows where the speech ended. The decoder keeps the tokens of all hypotheses in one cache,
// and a mask says which of them a hypothesis descends from: beams share what
// they have in common, nothing is copied. One beam is greedy decoding.
//
// A robot may answer sooner: Session.Again starts from the text of a shorter clip
// of the same speech, which the decoder then only checks. A Vocabulary makes the
// words that somebody is likely to say a little more probable, in the search and
// not in the confidence, so that it decides between two words that sound alike and
// never makes a text of a noise.
//
// Clips longer than 30 seconds are cut where they are quietest.
//
// # What is not said
//
// Time stamps are off. Tokens that the model's files suppress are never chosen,
// special ones never but the end. A text that begins to repeat itself is ended
// and marked. Result.Confidence and Result.NoSpeech say how much to believe;
// this package throws nothing away for them.
//
// # Failure
//
// An empty clip, a sample that is no number and an unknown language are errors
// before anything is computed. A context that ends is noticed before each
// token. After any error the session can be used on. A Recogniser is safe for
// use from many goroutines, a Session belongs to one at a time.
package speech
