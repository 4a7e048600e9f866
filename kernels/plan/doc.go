// Package plan turns a graph into the steps that a backend runs. It knows the
// operators but no device; cpu and cuda tell it by Rules what their kernels can
// do at once, and translate the steps that result.
//
// Lower goes through a graph's nodes twice (lower.go):
//
//   - all matrix products first, convolutions among them (product.go): each takes
//     in the bias, activation, residual and store to a cache that follow it; two
//     of which one gates the other become one, those of one input share a step
//     (groups.go), and a norm moves into the products that read it;
//   - then what is left (node.go), each operator a step of its own; slices and
//     reshapes are views.
//
// Order puts the steps into an order in which operands come first (order.go), and
// Lay gives every buffer a place in one block of memory, which those share that do
// not live at the same time (arena.go).
//
// A buffer goes by its root: the value that it was made for, of which others are
// views.
package plan

import "github.com/kuai-robot/kuai/kernels"

// Value is a value of the graph, or one that lowering adds after them.
type Value = kernels.Value

// Step is one step of a program.
type Step struct {
	// First is the index of the node, or the first of the nodes, that it computes.
	First int
	// Reads must have been computed, Writes are its results, and Scratch are buffers
	// that live while it runs.
	Reads, Writes, Scratch []Value
	// States are the states that it touches.
	States []Use
	// Work says what it computes: one of the structs of work.go.
	Work any
}

// Use orders the steps that touch a state as their nodes were.
type Use struct {
	State Value
	Node  int
}
