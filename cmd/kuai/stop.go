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

func (a *app) stopCommand() *cobra.Command {
	return a.addLinkFlags(&cobra.Command{
		Use:     "stop [REASON]",
		Short:   "Stop the robot at once; it stays stopped until a reset",
		Example: "  kuai stop\n  kuai stop \"the cat is on the table\"",
		RunE:    func(c *cobra.Command, args []string) error { return a.stop(c.Context(), strings.Join(args, " ")) },
	})
}

// stop sends a stop and waits until the robot reports that it has stopped.
func (a *app) stop(ctx context.Context, reason string) error {
	states := make(chan topics.State, queued)
	link, err := a.dial(ctx, []string{topics.NameState}, func(m broker.Message) {
		var s topics.State
		if json.Unmarshal(m.Payload, &s) == nil {
			select {
			case states <- s:
			default:
			}
		}
	}, nil)
	if err != nil {
		return err
	}
	defer link.Close(nil)
	asked := a.clock.Now()
	if err := link.Send(ctx, topics.NameStop, false, []byte(first(reason, "kuai stop"))); err != nil {
		return &exitError{exitUnreachable, err}
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	for {
		select {
		case s := <-states:
			if s.Mode != "stopped" {
				continue
			}
			took := a.clock.Now().Sub(asked)
			if a.json {
				return a.printJSON(map[string]any{"mode": s.Mode, "reason": s.Reason, "confirmed_ms": took.Seconds() * 1000})
			}
			a.out.line("%s (confirmed after %d ms); kuai reset lets it move again", a.out.red("stopped"), took.Milliseconds())
			return nil
		case <-ctx.Done():
			return a.errNoAnswer("the stop: it was sent and nobody confirmed it, use the robot's own switch")
		}
	}
}

func (a *app) resetCommand() *cobra.Command {
	return a.addLinkFlags(&cobra.Command{
		Use: "reset", Short: "Let a stopped robot move again", Example: "  kuai reset", Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return a.reset(c.Context()) },
	})
}

func (a *app) reset(ctx context.Context) error {
	id := newID()
	e, err := a.ask(ctx, topics.NameReset, id, topics.Reset{ID: id})
	if err != nil {
		return err
	}
	return a.printAnswer(e, "ready to move")
}

func (a *app) releaseCommand() *cobra.Command {
	var bus bool
	c := a.addLinkFlags(&cobra.Command{
		Use: "release", Short: "Cut the joints' torque, so that they can be moved by hand (hold the arm first)",
		Example: "  kuai release\n  kuai release --bus --config robot.yaml", Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if bus {
				return a.releaseBus()
			}
			return a.release(c.Context(), true)
		},
	})
	c.Flags().BoolVar(&bus, "bus", false, "ask no running robot but the servos on the bus themselves: for after kuai was killed")
	return c
}

func (a *app) engageCommand() *cobra.Command {
	return a.addLinkFlags(&cobra.Command{
		Use: "engage", Short: "Make released joints hold where they are", Example: "  kuai engage", Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return a.release(c.Context(), false) },
	})
}

func (a *app) release(ctx context.Context, on bool) error {
	id := newID()
	e, err := a.ask(ctx, topics.NameRelease, id, topics.Release{ID: id, On: &on})
	if err != nil {
		return err
	}
	if on {
		return a.printAnswer(e, "released; kuai engage makes the joints hold again")
	}
	return a.printAnswer(e, "the joints hold")
}

// ask publishes m, whose id is id, and waits for the event that ends it.
func (a *app) ask(ctx context.Context, topic, id string, m any) (topics.Event, error) {
	events := make(chan topics.Event, queued)
	link, err := a.dial(ctx, []string{topics.NameEvent}, func(m broker.Message) {
		var e topics.Event
		if json.Unmarshal(m.Payload, &e) == nil && e.ID == id {
			select {
			case events <- e:
			default:
			}
		}
	}, nil)
	if err != nil {
		return topics.Event{}, err
	}
	defer link.Close(nil)
	payload, err := topics.Encode(m)
	if err != nil {
		return topics.Event{}, err
	}
	if err := link.Send(ctx, topic, false, payload); err != nil {
		return topics.Event{}, &exitError{exitUnreachable, err}
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	for {
		select {
		case e := <-events:
			switch {
			case e.Kind == topics.EventRefused:
				return e, exitf(exitRefused, "%s refused: %s", topic, e.Reason)
			case e.Kind.Final():
				return e, nil
			}
		case <-ctx.Done():
			return topics.Event{}, a.errNoAnswer("the " + topic)
		}
	}
}

func (a *app) printAnswer(e topics.Event, text string) error {
	if a.json {
		return a.printJSON(e)
	}
	fmt.Fprintln(a.out, a.out.green(text)+parenthesis(e.Reason))
	return nil
}

func parenthesis(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}
