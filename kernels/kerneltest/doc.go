// Package kerneltest checks a backend against the plain one: one table of cases
// for every operator, odd shapes and every type included, graphs that invite
// fusion, and the promises of sessions.
//
//	func TestBackend(t *testing.T) { kerneltest.Run(t, mine.New()) }
//
// Each case runs three times on the same random inputs: exactly (sums in f64,
// weights decoded), plainly (package ref at the same precision) and on the
// backend. The backend's root-mean-square error and its largest error may be
// twice the plain ones; below that lies a floor of one rounding step of the
// case's precision, because a plain result can be exact by luck.
package kerneltest
