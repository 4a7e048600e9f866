package broker_test

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// scripted is a broker that takes every message and acknowledges none.
type scripted struct {
	url       string
	published chan string
	// refuse is how many subscriptions it refuses from now on.
	refuse atomic.Int32

	mu   sync.Mutex
	conn net.Conn
}

func newScripted(t *testing.T) *scripted {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &scripted{url: "tcp://" + l.Addr().String(), published: make(chan string, 10)}
	t.Cleanup(func() { l.Close(); s.hangUp() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conn = conn
			s.mu.Unlock()
			go s.serve(conn)
		}
	}()
	return s
}

func (s *scripted) serve(conn net.Conn) {
	for {
		packet, err := packets.ReadPacket(conn)
		if err != nil {
			return
		}
		switch p := packet.(type) {
		case *packets.ConnectPacket:
			packets.NewControlPacket(packets.Connack).Write(conn)
		case *packets.PingreqPacket:
			packets.NewControlPacket(packets.Pingresp).Write(conn)
		case *packets.SubscribePacket:
			reply := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
			reply.MessageID, reply.ReturnCodes = p.MessageID, []byte{p.Qoss[0]}
			if s.refuse.Add(-1) >= 0 {
				reply.ReturnCodes[0] = 0x80
			}
			reply.Write(conn)
		case *packets.PublishPacket:
			s.published <- string(p.Payload)
		}
	}
}

func (s *scripted) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		s.conn.Close()
	}
}
