// Package microphone turns every kind of microphone into the same stream of
// robot.Clip: frames of audio.Frame samples, mono at audio.Rate, stamped with
// the time of capture.
//
// In: one Config a microphone, a robot.Clock, and two callbacks. Out: frames,
// and a Report whenever the microphone comes or goes, with the reason in words.
// Run blocks until its context ends (or a file does); it opens the microphone
// again after every failure, waiting 250 ms at first and never more than 5 s.
//
// A Source is one kind of microphone: the machine's (malgo, which loads the
// sound system when it is asked to, so that a machine without one can run
// kuai), an audio track of an RTSP server (PCMU, PCMA, L16 and Opus), a file
// (WAV, MP3, OGG and FLAC, of any length), or a Push, into which somebody else
// writes: the page's microphone does. The simulator's room is a Source as well;
// Config.Source takes it, or any other.
//
// Between the goroutine that captures, which never waits, and the one that
// calls back lies a ring of two seconds; what it had no room for is counted. A
// Push, and a file that is read as fast as possible, wait for whoever hears
// instead. Whatever
// the rate of a source, frames have audio.Rate; a constant offset is gone, and
// what is clipped is counted. A hole in the stream is filled with silence, up to
// a second, so that the time of a sample follows from the one before it.
//
// Capture time: RTSP by RTCP sender reports (package rtsp); the machine's
// microphone by the sample count, mapped by the least delay seen; files by
// playing at their own rate.
package microphone
