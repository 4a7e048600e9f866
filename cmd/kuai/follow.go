package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/topics"
)

// follower waits for the end of what was asked under one id.
type follower struct {
	app *app
	id  string

	messages chan broker.Message
	lost     chan error
	accepted bool
	seconds  float64      // of the newest plan
	verdict  *topics.Plan // what an event said of the end, before the plan did
	printer  planPrinter
}

// queued bounds the messages that wait for the printer. A plan is whole, so one
// that found no room is made up for by the next.
const queued = 256

// countEvery is how often the seconds of a running step are shown anew.
const countEvery = 100 * time.Millisecond

// planWithin is how long after the event of the end the plan may say the same.
const planWithin = time.Second

// follow sends payload on the topic called name and prints what comes of it.
func (a *app) follow(ctx context.Context, name, id string, payload []byte, detach bool) error {
	f := &follower{app: a, id: id, messages: make(chan broker.Message, queued), lost: make(chan error, 1)}
	f.printer = planPrinter{out: a.out, clock: a.clock}
	link, err := a.dial(ctx, []string{topics.NamePlan, topics.NameEvent, topics.NameHealth}, f.take, func(err error) {
		select {
		case f.lost <- err:
		default:
		}
	})
	if err != nil {
		return err
	}
	defer link.Close(nil)
	if err = link.Send(ctx, name, false, payload); err != nil {
		err = &exitError{exitUnreachable, err}
	} else {
		err = f.wait(ctx, name, detach)
	}
	if ctx.Err() != nil {
		a.out.clearLine()
		a.errors.line("not watching any more; the robot goes on (kuai stop halts it)")
		return ctx.Err()
	}
	return err
}

func (f *follower) take(m broker.Message) {
	select {
	case f.messages <- m:
	default:
	}
}

func (f *follower) wait(ctx context.Context, name string, detach bool) error {
	answer, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	patience := answer.Done()
	watching, leave := context.WithCancel(ctx)
	defer leave()
	ticks := f.ticks(watching)
	for f.verdict == nil {
		select {
		case <-ticks:
			f.printer.count()
		case m := <-f.messages:
			done, err := f.message(m)
			if done || err != nil || detach && f.accepted {
				return err
			}
		case err := <-f.lost:
			f.app.errors.line("%s", f.app.errors.yellow("connection lost, trying again: ")+err.Error())
		case <-patience:
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if !f.accepted {
				return f.app.errNoAnswer(name)
			}
			// Accepted: from now on it takes as long as it takes.
			patience = ctx.Done()
		}
	}
	return f.waitPlan(ctx)
}

// ticks paces what counts on a terminal between two messages, until ctx ends.
func (f *follower) ticks(ctx context.Context) <-chan struct{} {
	if f.app.out.width == 0 || f.app.json {
		return nil
	}
	ticks := make(chan struct{})
	go func() {
		for f.app.clock.Wait(ctx, f.app.clock.Now().Add(countEvery)) == nil {
			select {
			case ticks <- struct{}{}:
			case <-ctx.Done():
			}
		}
	}()
	return ticks
}

// waitPlan gives the plan a moment to say what an event has said already, with
// all its steps: a broker keeps the order within a topic, not between two.
func (f *follower) waitPlan(ctx context.Context) error {
	moment, cancel := context.WithTimeout(ctx, planWithin)
	defer cancel()
	for {
		select {
		case m := <-f.messages:
			if done, err := f.message(m); done || err != nil {
				return err
			}
		case <-moment.Done():
			_, err := f.ended(f.verdict)
			return err
		}
	}
}

// message says whether what was asked has ended.
func (f *follower) message(m broker.Message) (done bool, err error) {
	switch m.Name {
	case topics.NameHealth:
		var h topics.Health
		if json.Unmarshal(m.Payload, &h) == nil && h.Status == topics.Offline {
			return true, exitf(exitUnreachable, "robot %s is offline (start it with kuai run)", first(h.Robot, "there"))
		}
	case topics.NameEvent:
		var e topics.Event
		if json.Unmarshal(m.Payload, &e) != nil || e.ID != f.id {
			return false, nil
		}
		f.print(m)
		return f.event(&e)
	case topics.NamePlan:
		var p topics.Plan
		if json.Unmarshal(m.Payload, &p) != nil || p.ID != f.id {
			return false, nil
		}
		f.accepted, f.seconds = true, p.Seconds
		if f.app.json {
			f.print(m)
		} else {
			f.printer.show(&p)
		}
		return f.ended(&p)
	}
	return false, nil
}

func (f *follower) event(e *topics.Event) (done bool, err error) {
	f.accepted = true
	switch e.Kind {
	case topics.EventRefused:
		return true, exitf(exitRefused, "refused: %s", whatNext(e.Reason))
	case topics.EventSucceeded, topics.EventFailed:
		f.verdict = &topics.Plan{Status: topics.PlanStatus(e.Kind), Reason: e.Reason, Seconds: f.seconds}
	}
	return false, nil
}

func (f *follower) ended(p *topics.Plan) (done bool, err error) {
	switch p.Status {
	case topics.PlanSucceeded:
		if !f.app.json && p.Answer != "" {
			f.app.out.line("%s", p.Answer)
		} else if !f.app.json {
			f.app.out.line("%s in %s", f.app.out.green("succeeded"), duration(p.Seconds))
		}
		return true, nil
	case topics.PlanFailed:
		return true, exitf(exitGaveUp, "gave up after %s: %s", duration(p.Seconds), whatNext(p.Reason))
	}
	return false, nil
}

// whatNext adds to a reason what a person can do about it here.
func whatNext(reason string) string {
	if strings.HasPrefix(reason, "stop message") {
		return "the robot is stopped (" + reason + "); kuai reset lets it move again"
	}
	return first(reason, "no reason given")
}

// print passes a message on as JSON.
func (f *follower) print(m broker.Message) {
	if f.app.json {
		fmt.Fprintf(f.app.out, "{\"topic\":%q,\"payload\":%s}\n", m.Name, m.Payload)
	}
}

// duration writes seconds for a person.
func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
