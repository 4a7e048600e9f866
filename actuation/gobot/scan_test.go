package gobot

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"gobot.io/x/gobot/v2/platforms/firmata/client"

	"github.com/kuai-robot/kuai/robot"
)

func scan(data []byte) (messages [][]byte, broken uint64) {
	var s scanner
	for _, b := range data {
		if m := s.feed(b); m != nil {
			messages = append(messages, bytes.Clone(m))
		}
	}
	return messages, s.broken
}

func TestScanner(t *testing.T) {
	long := append(append([]byte{sysexStart, stringMessage}, make([]byte, longestSysex)...), sysexEnd)
	for name, c := range map[string]struct {
		data   []byte
		want   [][]byte
		broken bool
	}{
		"version":           {[]byte{0xF9, 2, 6}, [][]byte{{0xF9, 2, 6}}, false},
		"reports":           {[]byte{0x91, 1, 2, 0xE3, 4, 5}, [][]byte{{0x91, 1, 2}, {0xE3, 4, 5}}, false},
		"sysex":             {[]byte{0xF0, 0x79, 1, 0, 0xF7}, [][]byte{{0xF0, 0x79, 1, 0, 0xF7}}, false},
		"cut short":         {[]byte{0xF9, 2, 0xF9, 2, 6}, [][]byte{{0xF9, 2, 6}}, true},
		"sysex in sysex":    {[]byte{0xF0, 1, 0xF0, 2, 0xF7}, [][]byte{{0xF0, 2, 0xF7}}, true},
		"empty sysex":       {[]byte{0xF0, 0xF7, 0xF9, 2, 6}, [][]byte{{0xF0, 0xF7}, {0xF9, 2, 6}}, false},
		"lone data and end": {[]byte{1, 2, 0xF7, 0xF9, 2, 6}, [][]byte{{0xF9, 2, 6}}, true},
		"too long":          {append(long, 0xF9, 2, 6), [][]byte{{0xF9, 2, 6}}, true},
		"unknown":           {[]byte{0xF4, 1, 2, 0xFF, 0xF9, 2, 6}, [][]byte{{0xF9, 2, 6}}, true},
	} {
		got, broken := scan(c.data)
		if len(got) != len(c.want) || (broken > 0) != c.broken {
			t.Errorf("%s: %X, %d broken", name, got, broken)
			continue
		}
		for i := range got {
			if !bytes.Equal(got[i], c.want[i]) {
				t.Errorf("%s: %X, want %X", name, got[i], c.want[i])
			}
		}
	}
}

// deaf is a link that nothing is plugged into.
func deaf() *link {
	l := &link{clock: robot.NewManualClock(time.Unix(0, 0), 1), confirm: func(robot.Time) {}, shaking: true, gone: make(chan struct{})}
	l.wake = sync.NewCond(&l.mu)
	return l
}

var hostile = []string{
	"\xF9\x02\x06\xF0\x79\x01\x00k\x00\xF7\xF0\x6C\x00\x01\x01\x01\x7F\x04\x0E\x7F\xF7\xF0\x6A\x7F\x00\xF7",
	"\xF0\x79\xF7\xF9\x02\x06\xF0\x79\x01\xF7\xF0\x6C\x7F\xF7\xF0\x6A\x01\x02\x03\x04\xF7",
	"\xF0\x77\x01\xF7\xF0\x6E\x7F\x01\xF7\xF0\x0A\x00\x7F\x7F\x01\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\xF7",
	"\xF0\xF7\xF0\x6C\xF7\xF0\x6A\x01\xF7\x90\x01\x02\xE0\x01\x02\xF0\x6C\x01\x7F\x01\x7F\xF7\xF0\x6C\xF7\xF0\x6A\x00\xF7",
}

// FuzzLink gives a board's bytes, whatever they are, to the link. What it lets
// through is what Gobot's client does not panic on.
func FuzzLink(f *testing.F) {
	for _, bytes := range hostile {
		f.Add([]byte(bytes))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l := deaf()
		messages, _ := scan(data)
		for _, m := range messages {
			l.take(m)
		}
		pins := 0
		through, broken := scan(l.handy)
		if broken > 0 {
			t.Fatalf("% X lets broken messages through: % X", data, l.handy)
		}
		for _, m := range through {
			switch {
			case m[0] == protocolVersion:
			case m[0] != sysexStart || len(m) < 4:
				t.Fatalf("% X lets % X through", data, m)
			case m[1] == firmwareAnswer && len(m) >= 5:
			case m[1] == capabilityAnswer:
				pins = countPins(m)
			case m[1] == mappingAnswer && len(m)-3 <= pins:
			default:
				t.Fatalf("% X lets % X through to a client that knows %d pins", data, m, pins)
			}
		}
	})
}

// port answers Gobot's queries with hostile bytes.
type port struct {
	*io.PipeReader
	w     *io.PipeWriter
	bytes string
	once  sync.Once
}

func (p *port) Write(b []byte) (int, error) {
	p.once.Do(func() {
		go func() {
			io.WriteString(p.w, p.bytes)
			io.WriteString(p.w, hostile[0])
		}()
	})
	return len(b), nil
}

func (p *port) Close() error { return errors.Join(p.w.CloseWithError(io.EOF), p.PipeReader.Close()) }

// Gobot's client by itself panics on most of these, in a goroutine of its own,
// which ends the program.
func TestGobotSurvivesAHostileBoard(t *testing.T) {
	for _, bytes := range hostile[1:] {
		r, w := io.Pipe()
		clock := robot.NewSystemClock()
		l := newLink(clock, &port{PipeReader: r, w: w, bytes: bytes}, func(robot.Time) {})
		c := client.New()
		if err := c.Connect(l); err != nil {
			t.Errorf("% X: %v", bytes, err)
		}
		if n := len(c.Pins()); n != 2 {
			t.Errorf("% X: %d pins, want those of the last answer", bytes, n)
		}
		if err := c.Disconnect(); err != nil {
			t.Error(err)
		}
	}
}
