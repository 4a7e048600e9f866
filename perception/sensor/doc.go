// Package sensor joins what the sensors delivered: for an instant it gives the
// newest picture of each camera that was captured not later than that.
//
// Cameras call Frame, from any goroutine; whoever decides calls Observe, which
// joins the pictures with the joints and the scene of that instant. Ages says
// how old each sample of an observation is, and a stage states its Needs, whose
// Check names what is missing or too old to act on. Nothing waits: a picture
// that is overtaken is forgotten, only the newest few of each camera are kept,
// so that one that was captured after the instant asked for does not hide the
// one before it.
package sensor
