package gobot

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

const (
	tcpPrefix = "tcp://"
	dialTime  = 3 * time.Second
)

func (b *Board) baud() int {
	if b.Baud == 0 {
		return defaultBaud
	}
	return b.Baud
}

// openPort opens a Firmata board's port.
func openPort(ctx context.Context, b *Board) (io.ReadWriteCloser, error) {
	if address, ok := strings.CutPrefix(b.Port, tcpPrefix); ok {
		dialer := net.Dialer{Timeout: dialTime}
		c, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, fmt.Errorf("%w (is the board on the network?)", err)
		}
		return c, nil
	}
	port, err := openSerial(b.Port, b.baud())
	if err != nil {
		return nil, fmt.Errorf("%w (is the board plugged in, and are you in the group dialout?)", err)
	}
	return port, nil
}
