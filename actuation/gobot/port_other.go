//go:build !linux

package gobot

import (
	"io"

	"go.bug.st/serial"
)

// openSerial opens a serial port, raw, 8N1.
func openSerial(path string, baud int) (io.ReadWriteCloser, error) {
	return serial.Open(path, &serial.Mode{BaudRate: baud})
}
