// Package gpu is the driver of a real GPU for package cuda: through gorgonia.org/cu
// and, where that lacks a call (stream capture, graphs, pinned memory, large
// parameters), through calls.c.
//
// It is compiled with the build tag cuda; without, Open says so. A binary with the
// tag still starts where there is no driver: it is linked with the libcuda.a that
// scripts/libcuda.py writes, which looks for the real one when the program starts.
//
// What Open and the Driver need of the machine: a driver for CUDA 11.8 or newer,
// a card of compute capability 8.0 or newer (Ampere, Orin), and memory for the
// model. Each of these has an error of its own line; ErrNone is wrapped where
// there is no GPU to be used at all. The PTX is compiled for the card by the
// driver at Open, which keeps the result in its cache (~/.nv): the first start on
// a machine takes some seconds longer.
//
// All commands of a recording are captured into one CUDA graph; a run is one launch
// of it and one wait. On a device that shares the host's memory (Jetson) inputs
// are read in place, without a copy.
package gpu
