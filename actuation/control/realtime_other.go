//go:build !linux

package control

func becomeRealtime() string { return "ordinary scheduling (real time needs Linux)" }
