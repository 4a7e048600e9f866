// Package room is a room with a microphone and a loudspeaker in it, for what
// hears and speaks to be tried in: people speak from somewhere, the walls throw
// it back, something hums.
//
// Say puts a person's words into the room at a time; what the robot's loudspeaker
// plays (Emit) sounds there too. Hear gives what the microphone makes of all that:
// samples mono at Rate, in time order, the same bits for the same seed and words.
// Play is Hear at the pace of a clock, as a microphone gives it.
//
// The sound of a person falls with the distance, and comes again and again from
// the walls: a sparse impulse response whose density grows and whose loudness
// falls by 60 dB in Options.Reverb. Noise is pink, with a hum below it, at a level
// in decibels of full scale.
//
// All methods may be called from any goroutine; Hear and Play by one at a time.
package room
