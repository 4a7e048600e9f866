// Package record keeps what happened: every stage's samples and every topic's
// messages in MCAP files (mcap.dev, version 0) that Foxglove opens.
//
// What flows in: frames, joint states, sound, log lines and the JSON of the
// topics, each with the time of capture. What comes out: files named after the
// wall-clock time of their start, and Read, which gives every record back with
// the same robot.Time and the same bytes.
//
// Pictures, joints, sound and logs use Foxglove's protobuf schemas
// (foxglove.CompressedImage, JointState, RawAudio, Log); topics are JSON with
// their JSON schema, and so is what those schemas have no room for.
//
// Crash safety: messages are grouped in chunks that are written at least every
// Options.FlushEvery (250 ms) and then synced, so a process that is killed loses
// less than a second. A file that was cut off is readable up to the cut, and
// the next Open in the same folder completes it with an index.
//
// Disk: when the folder outgrows Options.MaxBytes the oldest recordings go
// first, never the one being written. When the disk is full the recorder says
// so once through Options.OnFault, drops and counts what comes, and tries
// again with a new file.
//
// Goroutines: the methods that take samples may be called from any goroutine
// and never block (unless Options.Wait says so); one goroutine, Run, encodes and writes.
package record
