// Package inspect says what is in a recording: its topics with counts, rates
// and gaps, how late samples were written down, what was lost, the episodes,
// and how long the safety core was in which mode and why. Plots draws the same
// over time as PNG files.
//
// In goes an MCAP file, of kuai or somebody else's; what it does not hold is
// not told. Memory is bounded: a series over time keeps at most a few thousand
// points, of longer ones every second, fourth and so on.
package inspect
