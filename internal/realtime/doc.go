// Package realtime gets a thread to the processor in time while the rest of the
// program computes.
//
// Prioritise asks the kernel to run the calling thread before all ordinary
// ones. It is asked for, never relied on: without the permission the thread
// stays ordinary, and the answer says so. Clock waits in the kernel, on the
// thread that calls it: a timer of the Go runtime needs another thread to fire
// it, which a busy program delays.
//
// Callers hold their thread with runtime.LockOSThread for as long as they mean
// it. On systems other than Linux both fall back to what Go has.
package realtime
