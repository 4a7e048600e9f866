// Package emulator is a bus of Feetech servos that answers as real ones do, on
// a feetech.Port or on a pseudo terminal, and fails as it is told: servos that
// fall silent, answers that are spoilt, garbage, a wire that is cut.
//
// The servos stand still but when Advance is called, so a test decides what
// time it is. All methods may be called from any goroutine.
package emulator
