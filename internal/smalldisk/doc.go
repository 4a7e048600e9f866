// Package smalldisk gives a test a disk that is soon full.
//
// It needs the right to mount a file system. Root has it; whoever has not gets
// it in a user and mount namespace of their own (user_namespaces(7)), in which
// the test is run again. Where the system allows neither the test is skipped.
// It is for tests alone, and for one goroutine.
package smalldisk
