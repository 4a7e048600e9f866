// Package roofline says what CUDA kernels should take without running them: how
// many warps fit on a multiprocessor, from the registers and shared memory that
// ptxas reports, and the least time of a launch, from the bytes it moves and the
// operations it does, on cards whose rates are known from their data sheets.
//
// A time is a prediction of a lower bound, not a measurement: nothing here knows of
// latency, of caches or of tails. What a launch of a graph costs beside that is
// taken to be Launch.
package roofline
