package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
)

const (
	// A frame holds a message and the few bytes around it.
	maxFrame = topics.MaxMessage + 1<<10
	// pingEvery finds browsers that went away without a word.
	pingEvery  = 10 * time.Second
	pongWithin = 5 * time.Second
	// A browser that does not take a frame within this is let go.
	writeWithin = 10 * time.Second
)

// hello is the first message of a socket.
type hello struct {
	Robot   string       `json:"robot"`
	Version string       `json:"version"`
	Role    broker.Role  `json:"role"`
	Cameras []string     `json:"cameras"`
	Joints  []helloJoint `json:"joints"`
	Gripper string       `json:"gripper,omitempty"`
	// Examples are instructions that a newcomer may try.
	Examples []string `json:"examples"`
	// NoTalk says why there is no talk button; empty: there is one.
	NoTalk string `json:"no_talk,omitempty"`
}

type helloJoint struct {
	Name           string          `json:"name"`
	Kind           robot.JointKind `json:"kind"`
	Min            float64         `json:"min"`
	Max            float64         `json:"max"`
	MaxVelocity    float64         `json:"max_velocity"`
	MaxEffort      float64         `json:"max_effort"`
	MaxTemperature float64         `json:"max_temperature"`
}

// refusal answers a message that was not even looked at.
type refusal struct {
	// Topic is empty when the message could not be read.
	Topic  string `json:"topic,omitempty"`
	Reason string `json:"reason"`
}

// accept upgrades a request, unless too many are open already.
func (s *Server) accept(w http.ResponseWriter, r *http.Request, open *atomic.Int64, most int64) (*websocket.Conn, bool) {
	if open.Add(1) > most {
		open.Add(-1)
		s.refuse(w, http.StatusServiceUnavailable, "too many pages are open")
		return nil, false
	}
	// The origin has been checked by guard.
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		open.Add(-1) // Accept has answered
		return nil, false
	}
	return conn, true
}

func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	s.sockets.Add(1)
	defer s.sockets.Done()
	conn, ok := s.accept(w, r, &s.pages, maxPages)
	if !ok {
		return
	}
	defer s.pages.Add(-1)
	defer conn.CloseNow()
	conn.SetReadLimit(maxFrame)
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()

	box := s.hub.open()
	defer s.hub.close(box)
	defer s.wheel.leave(box)
	role := roleOf(r)
	s.beside(func() {
		defer cancel()
		s.writeSocket(ctx, conn, box, role)
	})
	s.beside(func() { s.ping(ctx, conn) })
	for {
		_, data, err := conn.Read(ctx)
		if err != nil {
			cancel()
			return
		}
		s.obey(data, role, box)
	}
}

// obey takes one message from a browser. It runs on the socket's reading
// goroutine, so a stop waits for nothing but what the same page sent before.
func (s *Server) obey(data []byte, role broker.Role, box *outbox) {
	m, err := decodeFrame(data)
	if err == nil && !role.May(m.Topic) {
		err = errors.New("role " + string(role) + " may not publish " + clip(m.Topic))
	}
	if err == nil && !incoming(m.Topic) {
		err = errors.New("nobody listens to topic " + clip(m.Topic))
	}
	if err == nil && m.Topic == topics.NameTeleop && !s.wheel.take(box, s.o.Clock.Now()) {
		err = errors.New("another page steers the robot")
	}
	switch {
	case err != nil:
		s.refused.Add(1)
		reason, _ := json.Marshal(refusal{Topic: clip(m.Topic), Reason: err.Error()})
		box.put(message{Topic: "refusal", Payload: reason})
	case m.Topic == topics.NameStop:
		s.o.Steering.Stop(topics.StopReason(unquote(m.Payload)))
	default:
		s.o.Steering.Message(m.Topic, m.Payload)
	}
}

// decodeFrame reads {"topic","payload"} and nothing else.
func decodeFrame(data []byte) (message, error) {
	var m message
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&m); err != nil || m.Topic == "" {
		return message{}, errors.New(`want one JSON object {"topic","payload"}`)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return message{}, errors.New("something follows the JSON object")
	}
	return m, nil
}

func incoming(name string) bool {
	for _, t := range topics.Table() {
		if t.Name == name {
			return t.Direction == topics.In
		}
	}
	return false
}

// unquote gives the text in a JSON string; other payloads stay as they are.
func unquote(payload []byte) []byte {
	var text string
	if json.Unmarshal(payload, &text) == nil {
		return []byte(text)
	}
	return payload
}

func (s *Server) writeSocket(ctx context.Context, conn *websocket.Conn, box *outbox, role broker.Role) {
	greeting, err := json.Marshal(s.hello(role))
	if err != nil || s.write(ctx, conn, message{Topic: "hello", Payload: greeting}) != nil {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-box.ready:
		}
		for _, m := range box.take() {
			if s.write(ctx, conn, m) != nil {
				return
			}
		}
	}
}

func (s *Server) write(ctx context.Context, conn *websocket.Conn, m message) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, writeWithin)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, data)
}

func (s *Server) ping(ctx context.Context, conn *websocket.Conn) {
	for s.o.Clock.Wait(ctx, s.o.Clock.Now().Add(pingEvery)) == nil {
		ponged, cancel := context.WithTimeout(ctx, pongWithin)
		err := conn.Ping(ponged)
		cancel()
		if err != nil {
			conn.CloseNow()
			return
		}
	}
}

func (s *Server) hello(role broker.Role) hello {
	h := hello{Robot: s.o.Name, Version: s.o.Version, Role: role, Joints: []helloJoint{},
		Cameras: append([]string{}, s.o.Cameras...), Examples: append([]string{}, s.o.Examples...)}
	if s.o.Talk == nil {
		h.NoTalk = s.noTalk()
	}
	if s.o.Robot == nil {
		return h
	}
	h.Gripper = s.o.Robot.Gripper
	for i := range s.o.Robot.Joints {
		j := &s.o.Robot.Joints[i]
		h.Joints = append(h.Joints, helloJoint{
			Name: j.Name, Kind: j.Kind, Min: j.Limits.MinPosition, Max: j.Limits.MaxPosition,
			MaxVelocity: j.Limits.MaxVelocity, MaxEffort: j.Limits.MaxEffort, MaxTemperature: j.Limits.MaxTemperature,
		})
	}
	return h
}
