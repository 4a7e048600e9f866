package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/topics"
)

// status is what the robot tells about itself.
type status struct {
	Health *topics.Health `json:"health"`
	State  *topics.State  `json:"state"`
	Plan   *topics.Plan   `json:"plan"`
}

func (a *app) statusCommand() *cobra.Command {
	return a.addLinkFlags(&cobra.Command{
		Use: "status", Short: "What the robot is, sees and does right now", Example: "  kuai status\n  kuai status --json", Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.askStatus(c.Context())
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(s)
			}
			a.printStatus(s)
			return nil
		},
	})
}

// askStatus waits for the retained health and plan and for one state.
func (a *app) askStatus(ctx context.Context) (*status, error) {
	messages := make(chan broker.Message, queued)
	link, err := a.dial(ctx, []string{topics.NameHealth, topics.NamePlan, topics.NameState}, func(m broker.Message) {
		select {
		case messages <- m:
		default:
		}
	}, nil)
	if err != nil {
		return nil, err
	}
	defer link.Close(nil)
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	s := &status{}
	for s.Health == nil || s.State == nil {
		select {
		case m := <-messages:
			if err := s.take(m); err != nil {
				return nil, err
			}
		case <-ctx.Done():
			return nil, a.errNoAnswer("the question how it is")
		}
	}
	return s, nil
}

func (s *status) take(m broker.Message) error {
	switch m.Name {
	case topics.NameHealth:
		h := &topics.Health{}
		if err := json.Unmarshal(m.Payload, h); err != nil {
			return nil // somebody else's message: wait for one that can be read
		}
		if h.Status == topics.Offline {
			return exitf(exitUnreachable, "robot %s is offline%s (start it with kuai run)", h.Robot, parenthesis(strings.Join(h.Reasons, "; ")))
		}
		s.Health = h
	case topics.NamePlan:
		p := &topics.Plan{}
		if json.Unmarshal(m.Payload, p) == nil {
			s.Plan = p
		}
	case topics.NameState:
		state := &topics.State{}
		if json.Unmarshal(m.Payload, state) == nil {
			s.State = state
		}
	}
	return nil
}

func (a *app) printStatus(s *status) {
	h, out := s.Health, a.out
	row := func(name, value string) {
		if value != "" {
			out.line("%-10s %s", name, value)
		}
	}
	health := out.green(string(h.Status))
	if h.Status != topics.Online {
		health = out.yellow(string(h.Status))
	}
	row("robot", out.bold(h.Robot)+"  "+health+parenthesis(strings.Join(h.Reasons, "; ")))
	mode := s.State.Mode
	if mode == "stopped" || mode == "fault" {
		mode = out.red(mode)
	}
	row("mode", mode+parenthesis(s.State.Reason))
	row("driver", h.Driver)
	row("skills", h.Runner)
	row("model", h.Model)
	if h.Loop != nil {
		row("loop", fmt.Sprintf("%.0f Hz, jitter p99 %.2f ms, %d of %d ticks late", h.Loop.RateHz, h.Loop.JitterP99MS, h.Loop.Overruns, h.Loop.Ticks))
	}
	for _, c := range h.Cameras {
		row("camera", fmt.Sprintf("%s: %.1f pictures a second, newest %.0f ms old", c.Name, c.Rate, c.Age*1000))
	}
	if h.MemoryMB > 0 {
		row("memory", fmt.Sprintf("%.0f MB", h.MemoryMB))
	}
	if h.Dropped > 0 {
		row("dropped", fmt.Sprintf("%d messages", h.Dropped))
	}
	row("version", h.Version)
	if p := s.Plan; p != nil {
		row("plan", fmt.Sprintf("%q: %s, step %d, %s%s", p.Instruction, p.Status, p.Step, duration(p.Seconds), parenthesis(p.Reason)))
	}
	for _, j := range s.State.Joints {
		row("joint", fmt.Sprintf("%-16s %8.3f  %7.3f/s  effort %6.3f  %3.0f °C", j.Name, j.Position, j.Velocity, j.Effort, j.Temperature))
	}
}
