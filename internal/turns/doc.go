// Package turns measures what the models compute, one computation at a time, so
// that a driver can let kuai and other programs take turns on one machine
// (scripts/peers), and `kuai bench` can measure kuai alone.
//
// Work names a computation: a picture's embedding, a prompt read, an answer
// written, a clip heard. Open loads its model; Turns.Once computes it once and
// gives the milliseconds, what came out, and the memory that the kernels hold.
// Turns.Serve does so for each line of a stream. The weights of the image tower
// may be random (WriteTower): time depends on sizes, not on numbers.
//
// It links the models alone, neither cameras nor simulator, so that the memory
// of a process that serves turns is that of a model. Everything belongs to one
// goroutine.
package turns
