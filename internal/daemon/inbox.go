package daemon

import (
	"context"
	"fmt"
	"time"

	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/robot"
)

// receive obeys one message of the topic called name, whoever carried it. What
// it refuses it says in an event, and gives the reason.
func (d *Daemon) receive(name string, payload []byte) error {
	var id string
	var err error
	switch name {
	case topics.NameStop:
		d.Stop(topics.StopReason(payload))
		return nil
	case topics.NameInstruction:
		var m topics.Instruction
		if m, err = topics.DecodeInstruction(payload); err == nil {
			id, err = m.ID, d.instruct(m)
		}
	case topics.NameSkill:
		var m topics.Skill
		if m, err = topics.DecodeSkill(payload); err == nil {
			id, err = m.ID, d.runSkill(m)
		}
	case topics.NameReset:
		var m topics.Reset
		if m, err = topics.DecodeReset(payload); err == nil {
			id, err = m.ID, d.reset(m)
		}
	case topics.NameRelease:
		var m topics.Release
		if m, err = topics.DecodeRelease(payload); err == nil {
			id, err = m.ID, d.letGo(m)
		}
	case topics.NameTalk:
		var m topics.Talk
		if m, err = topics.DecodeTalk(payload); err == nil {
			id, err = m.ID, d.press(m)
		}
	case topics.NameTeleop:
		var m topics.Teleop
		if m, err = topics.DecodeTeleop(payload, len(d.description.Joints)); err == nil {
			err = d.teleop.take(m)
		}
	default:
		err = fmt.Errorf("topic %s is not one that the robot listens to", name)
	}
	if err != nil {
		d.refuse(id, name, err.Error())
	}
	return err
}

// refuse says that a message had no effect.
func (d *Daemon) refuse(id, topic, reason string) {
	d.log.Warn("refused", "topic", topic, "id", id, "reason", reason)
	d.event(topics.Event{Kind: topics.EventRefused, ID: id, Topic: topic, Reason: reason})
}

// event stamps e and says it.
func (d *Daemon) event(e topics.Event) {
	e.At = unix(d.clock, d.clock.Now())
	d.out.say(topics.NameEvent, e)
}

// message takes what the broker delivers. A retained message was published
// nobody knows when, so nothing moves for it.
func (d *Daemon) message(m broker.Message) {
	if m.Retained {
		d.refuse("", m.Name, "the message is retained, so it may be old (publish without the retain flag)")
		return
	}
	// A refusal has been said where everybody hears it.
	_ = d.receive(m.Name, m.Payload)
}

// subscriptions are what the daemon listens to besides stops, which have a
// link of their own.
func (d *Daemon) subscriptions() []broker.Subscription {
	var all []broker.Subscription
	for _, topic := range topics.Table() {
		switch topic.Name {
		case topics.NameInstruction, topics.NameSkill, topics.NameReset, topics.NameRelease, topics.NameTeleop, topics.NameTalk:
			all = append(all, broker.Subscription{Name: topic.Name, QoS: topic.QoS, Handle: d.message})
		}
	}
	if d.joints != nil {
		all = append(all, d.joints.subscriptions()...)
	}
	for i := range all {
		all[i].Handle = d.guarded(all[i].Handle)
	}
	return all
}

// guarded gives handle for the goroutine of a link, which nobody looks after.
func (d *Daemon) guarded(handle func(broker.Message)) func(broker.Message) {
	return func(m broker.Message) { d.safely("topic "+m.Name, func() { handle(m) }) }
}

// Stop stops the robot at once and ends what it was doing. Any goroutine may
// call it.
func (d *Daemon) Stop(reason string) {
	d.loop.Stop(reason)
	d.stopped.Put(reason)
}

// afterStop does what a stop entails beside the motors, on a goroutine of its
// own so that nothing of it can hold up the next stop.
func (d *Daemon) afterStop(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-d.stopped.Ready():
		}
		if reason, ok := d.stopped.Take(); ok {
			d.log.Warn("stopped", "reason", reason)
			d.event(topics.Event{Kind: topics.EventStopped, Reason: reason})
			d.worker.drop(reason)
			if d.voice != nil {
				d.voice.afterStop()
			}
		}
	}
}

func (d *Daemon) reset(m topics.Reset) error {
	if err := d.loop.Reset(); err != nil {
		return err
	}
	if err := d.awaitReset(); err != nil {
		return err
	}
	d.broken.acknowledge()
	d.log.Info("reset", "id", m.ID)
	d.event(topics.Event{Kind: topics.EventReset, ID: m.ID})
	return nil
}

// resetWithin is how long the control loop may take to leave the stopped mode.
const resetWithin = 200 * time.Millisecond

// awaitReset returns once the robot may move again, so that what is asked for
// after the event finds it so.
func (d *Daemon) awaitReset() error {
	until := d.clock.Now().Add(resetWithin)
	for {
		s := d.loop.Status()
		if mode := s.Verdict.Mode; mode != safety.Stopped && mode != safety.Fault {
			return nil
		}
		now := d.clock.Now()
		if now >= until {
			return fmt.Errorf("reset had no effect: %s", d.loop.Reason(&s))
		}
		if err := d.clock.Wait(context.Background(), now.Add(time.Millisecond)); err != nil {
			return err
		}
	}
}

// letGo cuts the torque or gives it back; the answer follows once the joints
// have it so.
func (d *Daemon) letGo(m topics.Release) error {
	s := d.loop.Status()
	switch mode := s.Verdict.Mode; {
	case mode == safety.Stopped || mode == safety.Fault:
		return fmt.Errorf("the robot is %v (%s): reset it first", mode, d.loop.Reason(&s))
	case *m.On:
		d.worker.drop("the joints were let go")
		d.loop.Release()
	default:
		d.loop.Engage()
	}
	until := d.clock.Now().Add(resetWithin)
	for s = d.loop.Status(); (s.Verdict.Mode == safety.Off) != *m.On; s = d.loop.Status() {
		now := d.clock.Now()
		if now >= until {
			return fmt.Errorf("it had no effect: %s", d.loop.Reason(&s))
		}
		if err := d.clock.Wait(context.Background(), now.Add(time.Millisecond)); err != nil {
			return err
		}
	}
	d.log.Info("release", "id", m.ID, "on", *m.On)
	d.event(topics.Event{Kind: topics.EventSucceeded, ID: m.ID, Topic: topics.NameRelease})
	return nil
}

// able says why no skill can run now, or nil.
func (d *Daemon) able() error {
	if d.agent == nil {
		return errNoRunner
	}
	switch s := d.loop.Status(); s.Verdict.Mode {
	case safety.Stopped:
		return fmt.Errorf("the robot is stopped (%s): reset it to let it move again", d.loop.Reason(&s))
	case safety.Fault:
		return fmt.Errorf("the robot is at fault (%s)", d.loop.Reason(&s))
	}
	return nil
}

// instruct hands an instruction to the agent.
func (d *Daemon) instruct(m topics.Instruction) error {
	if err := d.able(); err != nil {
		return err
	}
	d.submit(m.ID, topics.NameInstruction, func(ctx context.Context) agent.Plan {
		return d.recording.episode(ctx, m.ID, m.Text, nil, func(ctx context.Context) agent.Plan { return d.agent.Run(ctx, m.ID, m.Text) })
	})
	return nil
}

// runSkill hands one skill to the agent.
func (d *Daemon) runSkill(m topics.Skill) error {
	if err := d.able(); err != nil {
		return err
	}
	s := robot.Skill{Name: m.Name, Args: m.Args}
	d.submit(m.ID, topics.NameSkill, func(ctx context.Context) agent.Plan {
		return d.recording.episode(ctx, m.ID, "", &s, func(ctx context.Context) agent.Plan { return d.agent.RunSkill(ctx, m.ID, s) })
	})
	return nil
}

func (d *Daemon) submit(id, topic string, run func(context.Context) agent.Plan) {
	d.worker.submit(job{
		id: id, topic: topic,
		run: func(ctx context.Context) {
			d.topic.Store(&topic)
			plan := run(ctx)
			d.log.Info("plan ended", "id", id, "status", plan.Status, "seconds", plan.Took().Seconds(), "reason", plan.Reason)
			if d.voice != nil {
				d.voice.next()
			}
			d.warm(ctx)
		},
		refuse: func(reason string) { d.refuse(id, topic, reason) },
	})
}

// progress says what the agent did.
func (d *Daemon) progress(u agent.Update) {
	d.recording.report(&u)
	topic := *d.topic.Load()
	d.aim(&u)
	plan := planTopic(&u.Plan, d.config.Runner, d.config.Affordance)
	plan.Heat = d.heat(&u)
	d.out.say(topics.NamePlan, plan)
	d.out.say(topics.NameEvent, eventTopic(&u, topic, unix(d.clock, u.Plan.At)))
	d.answered(&u)
	if d.voice != nil {
		d.voice.progress(&u)
	}
	switch u.Kind {
	case agent.StepStarted:
		s := &u.Plan.Steps[u.Step-1]
		d.stages.chose(s.Decision.Took, d.clock.Now())
		if s.Decision.Took > 0 {
			d.tally.model(d.config.Planner.Model, s.Decision.Took)
		}
		d.log.Info("step", "id", u.Plan.ID, "step", u.Step, "skill", u.Skill, "scored_ms", s.Decision.Took.Milliseconds())
	case agent.StepFailed, agent.Refused, agent.Warning:
		d.log.Warn(string(u.Kind), "id", u.Plan.ID, "step", u.Step, "skill", u.Skill, "reason", u.Reason)
	}
}
