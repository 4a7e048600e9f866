// Package bench is the one form that every figure of kuai has: a Row of name,
// value, unit and bar, and beside a peer the ratio to it.
//
// Groups are functions that give rows; `kuai bench` runs the ones asked for and
// prints a table, or with --json one object a line. A bar is what the figure
// should be; whether it is met is printed and never decides a test, since it
// depends on the machine.
//
// Percentiles gives the medians and tails that rows are made of. Everything is
// used from one goroutine.
package bench
