// Package loudspeaker is the robot's voice: speech by espeak-ng, short tones
// (earcons), and sound files, one after another, to an Output.
//
// Say, Signal and Play put something into a bounded queue and return; what finds
// no room is dropped and counted, since an answer that comes late is worse than
// none. Run plays the queue until its context ends. Hush ends what is playing and
// forgets what waits: a person who says "stop" wants to be heard.
//
// The package remembers the last seconds of what was played and when, so that
// whoever listens can tell the robot's own voice (Played). An Output is a device
// of this machine (malgo), or the simulator's room, or none.
//
// A Speaker turns text into sound; Espeak runs the program espeak-ng, with the
// text on its standard input and a bound on how long it may take.
package loudspeaker
