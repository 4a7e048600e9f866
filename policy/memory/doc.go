// Package memory keeps what a robot should know beyond one plan: what people told
// it once ("I like my tea in the blue mug") and where each thing was seen last.
//
// On disk it is one file, sealed with NaCl secretbox (XSalsa20 and Poly1305) under
// a key of 32 random bytes in a file of its own with mode 0600. Whoever has the one
// without the other reads nothing, and a byte that was changed is noticed. A
// robot without a store remembers nothing.
//
// A Store may be used from any goroutine. It holds at most MaxTold sayings and
// MaxSeen things, the oldest go first. Writing replaces the file as a whole, so a
// loss of power leaves the old or the new one. What cannot be written is told once
// through Config.Problem and kept in memory.
package memory
