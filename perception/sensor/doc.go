// Package sensor joins what the sensors delivered: for an instant it gives the
// newest picture of each camera that was captured not later than that.
//
// Cameras call Frame, from any goroutine; whoever decides calls Frames, and
// Stale where a stage needs pictures that are fresh. Nothing waits: a picture
// that is overtaken is forgotten, only the newest few of each camera are kept,
// so that one that was captured after the instant asked for does not hide the
// one before it.
package sensor
