package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/perception/camera"
	"github.com/kuai-robot/kuai/robot"
)

const (
	statePeriod  = 50 * time.Millisecond
	healthPeriod = time.Second
	// maxFrameAge is how old a camera's newest picture may be before the daemon
	// calls itself degraded.
	maxFrameAge = 2 * time.Second
)

// publishState says the joints and the mode, 20 Hz, and what the safety core
// did by itself.
func (d *Daemon) publishState(ctx context.Context) error {
	mode := safety.Off
	return d.every(ctx, statePeriod, func() {
		s := d.loop.Status()
		d.out.say(topics.NameState, d.stateTopic(&s))
		if s.Verdict.Mode == safety.Fault && mode != safety.Fault {
			reason := d.loop.Reason(&s)
			d.log.Error("fault", "reason", reason)
			d.event(topics.Event{Kind: topics.EventFault, Reason: reason})
		}
		mode = s.Verdict.Mode
	})
}

func (d *Daemon) stateTopic(s *control.Status) topics.State {
	out := topics.State{At: unix(d.clock, s.State.At), Mode: s.Verdict.Mode.String(), Marks: d.marks(), Joints: make([]topics.JointState, len(d.description.Joints))}
	switch s.Verdict.Mode {
	case safety.Stopped, safety.Fault, safety.Off:
		out.Reason = d.loop.Reason(s)
	}
	if s.Verdict.Source != robot.SourceNone {
		out.Source = s.Verdict.Source.String()
	}
	for i := range d.description.Joints {
		out.Joints[i] = topics.JointState{
			Name: d.description.Joints[i].Name, Position: s.State.Position[i], Velocity: s.State.Velocity[i],
			Effort: s.State.Effort[i], Temperature: s.State.Temperature[i],
		}
	}
	return out
}

// publishHealth says once a second, and at once when it begins, how the daemon
// is.
func (d *Daemon) publishHealth(ctx context.Context) error {
	var ticks uint64
	var at robot.Time
	return d.every(ctx, healthPeriod, func() {
		h := d.health()
		if now := d.clock.Now(); at != 0 && h.Loop != nil {
			h.Loop.RateHz = float64(h.Loop.Ticks-ticks) / now.Sub(at).Seconds()
		}
		at, ticks = d.clock.Now(), h.Loop.Ticks
		d.out.say(topics.NameHealth, h)
	})
}

// every calls do now and then each period.
func (d *Daemon) every(ctx context.Context, period time.Duration, do func()) error {
	for due := d.clock.Now(); ; due = max(due.Add(period), d.clock.Now()) {
		if err := d.clock.Wait(ctx, due); err != nil {
			return err
		}
		do()
	}
}

func (d *Daemon) health() topics.Health {
	s := d.loop.Status()
	h := topics.Health{
		At: unix(d.clock, d.clock.Now()), Status: topics.Online, Robot: d.config.Robot.Name, Version: d.version,
		Mode: s.Verdict.Mode.String(), Driver: d.config.Robot.Driver, Runner: d.config.Runner, Model: d.config.Planner.Model,
		Loop:    d.loopHealth(&s),
		Stages:  d.stages.health(),
		Dropped: s.Dropped, MemoryMB: residentMB(),
	}
	if d.links != nil {
		h.Dropped += d.links.main.Dropped()
	}
	if s.LastError != nil {
		h.Reasons = append(h.Reasons, "driver: "+s.LastError.Error())
	}
	h.Reasons = append(h.Reasons, d.servoReasons()...)
	h.Reasons = append(h.Reasons, d.broken.reasons()...)
	for _, down := range []*atomic.Pointer[error]{&d.linkError, &d.stopLinkError} {
		if err := down.Load(); err != nil {
			h.Reasons = append(h.Reasons, (*err).Error())
		}
	}
	for _, c := range d.cameras {
		ch, reason := d.cameraHealth(c)
		h.Cameras = append(h.Cameras, ch)
		if reason != "" {
			h.Reasons = append(h.Reasons, reason)
		}
	}
	if d.voice != nil {
		var reasons []string
		h.Microphones, reasons = d.voice.health()
		h.Reasons = append(h.Reasons, reasons...)
	}
	if len(h.Reasons) > 0 {
		h.Status = topics.Degraded
	}
	return h
}

func (d *Daemon) loopHealth(s *control.Status) *topics.LoopHealth {
	p99 := func(stage control.Stage) float64 { return d.loop.Quantile(stage, 0.99).Seconds() * 1e3 }
	return &topics.LoopHealth{
		RateHz: d.config.Control.RateHz, Ticks: s.Ticks, Overruns: s.Overruns, JitterP99MS: s.JitterP99.Seconds() * 1e3,
		ReadP99MS: p99(control.StageRead), DecideP99MS: p99(control.StageDecide), WriteP99MS: p99(control.StageWrite),
	}
}

func (d *Daemon) cameraHealth(c *watched) (topics.CameraHealth, string) {
	stats := c.camera.Stats()
	h := topics.CameraHealth{Name: c.name, Rate: c.rate(stats.Frames, d.clock.Now())}
	if stats.LastAt != 0 {
		h.Age = d.clock.Now().Sub(stats.LastAt).Seconds()
	}
	switch {
	case stats.State != camera.Live && stats.State != camera.Ended:
		return h, fmt.Sprintf("camera %s: %s", c.name, stats.State)
	case h.Age > maxFrameAge.Seconds():
		return h, fmt.Sprintf("camera %s: the newest picture is %.1f s old", c.name, h.Age)
	}
	return h, ""
}

// ready says why the daemon cannot be relied on yet, or nil.
func (d *Daemon) ready() error {
	h := d.health()
	if h.Status == topics.Online {
		return nil
	}
	return errors.New(strings.Join(h.Reasons, "; "))
}

// residentMB gives the resident set of this process; 0 where the system does
// not tell.
func residentMB() float64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseFloat(fields[1], 64)
	if err != nil {
		return 0
	}
	return pages * float64(os.Getpagesize()) / 1e6
}
