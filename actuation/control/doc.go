// Package control runs the robot: at a fixed rate it reads the joints, asks
// package safety what may be done about what the sources want, and writes the
// command.
//
// Chunks, set-points and stops come in from any goroutine and never wait for
// the loop: of each source the newest counts, older ones are overwritten and
// counted. The loop turns the followed one into a motion that is continuous in
// position and velocity, also where one chunk takes over from another, and
// hands it to safety.Step. Whoever watches calls Status, which cannot hold the
// loop up either.
//
// Stop is apart from all of that: it sets one atomic pointer and wakes the loop
// out of its sleep. The tick that follows skips the read and writes the
// stopped command at once.
//
// Run keeps a monotonic schedule on an OS thread of its own. A tick that comes
// to its end after the next one was due is an overrun: it is counted, and the
// schedule goes on from the next instant that lies ahead instead of catching
// up in a burst. Tick does one tick in the caller's goroutine, for a simulator
// that keeps the time itself; a Loop is driven by one or the other.
//
// A driver may fail at any time. A failed read or write is tried again within
// the tick while there is time, then counted; when nothing comes through for
// longer than safety.Config.MaxStateAge the robot is in fault (the joint state
// is too old), the loop goes on trying, and a reset is accepted once the
// driver answers again. When the context ends, or anything in the loop panics,
// the last thing written is the stopped command.
//
// A Watcher is shown everything that the commands follow from; from that a
// Replayer gives the same commands again, to the bit.
//
// A tick allocates nothing. Instants are those of the robot.Clock that New was
// given, which must be the one that the driver and the sources stamp with.
package control
