// Package mujoco is a thin binding of libmujoco: load a model, step it, read
// and write its state, render it. Nothing here knows about robots' tasks.
//
// In goes a model as MJCF text (Load); out come a Model, which is constant
// once loaded but for a few switches, and any number of Data, each one state of
// it. Units are MuJoCo's, which are the module's: m, rad, N, N·m, s; quaternions
// are w x y z. Slices such as QPos are windows onto C memory: they are valid
// until the Data is closed, and nil afterwards.
//
// # Goroutines
//
// One Data belongs to one goroutine at a time. Different Data of one Model may
// be used side by side, as long as nobody switches the Model meanwhile. A
// Renderer may be called from any goroutine: its OpenGL context lives on an OS
// thread of its own and requests queue for it.
//
// # Failure
//
// MuJoCo's fatal errors, which by default end the process, come back as errors
// of the call that met them, and its warnings as well: a simulation that
// diverged is an error of Step. Every method of something closed returns
// ErrClosed or a zero value; closing twice is harmless. Memory is freed when the
// Model and everything made from it are closed, in any order.
//
// The library and its headers lie in .deps, where scripts/deps.sh puts them;
// OSMesa (or EGL) is loaded when the first Renderer is made, so that a program
// that renders nothing does not pay for it. MuJoCo finds one of the two, so a
// process that has rendered with EGL cannot go back to OSMesa.
package mujoco
