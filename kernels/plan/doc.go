// Package plan orders the steps that a graph was compiled to and lays the
// buffers that they use into one block. It knows neither operators nor devices;
// cpu and cuda hand it what their steps read and write.
//
// A buffer goes by its root: the value that it was made for, of which others are
// views.
package plan

import "github.com/kuai-robot/kuai/kernels"

// Step is one step of a program as far as its order and its buffers go.
type Step struct {
	// First is the index of the node, or the first of the nodes, that it computes.
	First int
	// Reads and Writes are roots; Scratch are those used during the step only.
	Reads, Writes, Scratch []kernels.Value
	// States are the states that it touches.
	States []Use
}

// Use orders the steps that touch a state as their nodes were.
type Use struct {
	State kernels.Value
	Node  int
}
