package daemon

import (
	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/perception/sensor"
	"github.com/kuai-robot/kuai/robot"
)

// realBody is the robot as the agent needs it.
type realBody struct {
	loop  *control.Loop
	clock robot.Clock
	// sensors joins what the cameras saw.
	sensors *sensor.Joiner
	// scene gives what is known of the objects; nil when nobody looks.
	scene func() *robot.Scene
	// stages is nil when nobody measures.
	stages *stages
}

// Observe implements agent.Body.
func (b *realBody) Observe() robot.Observation {
	status := b.loop.Status()
	var scene *robot.Scene
	if b.scene != nil {
		scene = b.scene()
	}
	now := b.clock.Now()
	o := b.sensors.Observe(now, status.State, scene)
	if b.stages != nil {
		b.stages.look(&o, now)
	}
	return o
}

// Act implements agent.Body.
func (b *realBody) Act(c robot.Chunk) {
	b.loop.Submit(c)
	if b.stages != nil {
		b.stages.act(b.clock.Now())
	}
}

// Hold implements agent.Body.
func (b *realBody) Hold(s robot.Source) { b.loop.Hold(s) }

// Halted implements agent.Brake.
func (b *realBody) Halted() (reason string, halted bool) {
	status := b.loop.Status()
	switch status.Verdict.Mode {
	case safety.Stopped, safety.Fault:
		return b.loop.Reason(&status), true
	}
	return "", false
}
