// Package hear says what a clip is without writing it down: which option of the
// skill catalogue somebody asks for, or which sound it is.
//
// A clip is heard by Whisper's encoder and the built-in sound head (fusion/embed
// has its layout, train/voice made it); the phrases of the options and the names
// of sounds are read by MiniLM. What lies closest to the clip is what it is:
//
//	sound, err := hear.Open(embed.SoundFolders{Sound: whisperDir, Text: miniLMDir}, backend, embed.Options{})
//	listener, err := hear.New(ctx, sound, []string{"pick up the red block", "move the arm home"})
//	heard, err := listener.Hear(ctx, samples) // mono at audio.Rate, to 30 s
//	// heard.Option 0, heard.Probability 0.83; or heard.Sound "knock", heard.SoundProbability 0.98
//
// The head knows synthetic voices and the tabletop's phrases. It is a second
// opinion beside the transcript, not a replacement of it: docs/models-voice.md has
// how often it is right. Speech that is no option can look like one, so ask for a
// high probability, and for the transcript's consent, before anything moves.
//
// A Listener belongs to one goroutine at a time; Hear allocates nothing. Errors
// are those of embed.SoundSession.
package hear
