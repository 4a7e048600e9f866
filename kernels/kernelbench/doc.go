// Package kernelbench measures a backend: the rate of each operator at sizes
// that models have, and the speed of a whole decoder of random weights.
//
//	rows, err := kernelbench.Measure(cpu.New(cpu.Options{Threads: 2}), "cpu", 2, now)
//
// A row is named kernel.<op>.<backend>.<precision>. Rates of products are in
// GFLOP/s (two for each multiplication), those of everything that is bound by
// memory in GB/s of the bytes that must be read and written at least. Each
// value is that of the fastest of several repetitions. Beside it stands the peak
// of the machine, measured in the same run by loops that do nothing but
// multiply in registers, read memory, or copy what is in a cache. The clock is a parameter:
// now gives a time that only grows.
package kernelbench
