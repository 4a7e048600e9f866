//go:build !linux

package feetech

import "fmt"

// Open needs Linux.
func Open(path string, _ int) (Port, error) {
	return nil, fmt.Errorf("open %s: serial ports are implemented for Linux only", path)
}
