//go:build !linux

package realtime

// Prioritise says that this system has no way to.
func Prioritise(uint32) string { return "ordinary scheduling (only Linux has better)" }
