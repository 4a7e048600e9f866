package main

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/record"
	"github.com/kuai-robot/kuai/internal/replay"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/perception/camera"
	"github.com/kuai-robot/kuai/robot"
)

func (a *app) recordCommand() *cobra.Command {
	var out string
	var length time.Duration
	c := &cobra.Command{
		Use:   "record",
		Short: "Record a running robot from beside: its topics and cameras",
		Long: "Writes what the robot says over MQTT and the cameras of the configuration into an MCAP file, which\n" +
			"Foxglove opens, until it is interrupted. What only the robot itself knows (each tick of the control\n" +
			"loop, what the agent saw) is not in it: to replay a run or to export it as a dataset, let kuai run\n" +
			"record with record.on: true.",
		Example: "  kuai record\n  kuai record --out recordings --for 30s",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if length < 0 {
				return exitf(exitInput, "--for %s: must not be negative", length)
			}
			return a.record(c.Context(), out, length)
		},
	}
	c.Flags().StringVar(&out, "out", "", "`FOLDER` of the recording; else that of the configuration")
	c.Flags().DurationVar(&length, "for", 0, "stop after so long; 0: when interrupted")
	return a.addLinkFlags(c)
}

// maxEpisodes bounds the instructions that may run at the same time.
const maxEpisodes = 100

// recorded are the topics that are written down.
var recorded = []string{topics.NameState, topics.NamePlan, topics.NameEvent, topics.NameHealth}

// bystander records what it hears.
type bystander struct {
	app     *app
	out     *record.Recorder
	first   chan topics.State
	started map[string]robot.Time // of each instruction that runs
}

// record writes until ctx ends or length has passed.
func (a *app) record(ctx context.Context, out string, length time.Duration) (err error) {
	c, err := config.Load(a.configPath)
	if err != nil {
		return &exitError{exitInput, err}
	}
	if out == "" {
		if out, err = c.Record.Dir(); err != nil {
			return &exitError{exitInput, err}
		}
	}
	b := &bystander{app: a, first: make(chan topics.State, 1), started: map[string]robot.Time{}}
	description, err := b.meet(ctx)
	if err != nil {
		return err
	}
	b.out, err = record.Open(record.Options{
		Dir: out, Clock: a.clock, Description: description, MaxBytes: int64(c.Record.BudgetGB * 1e9),
		Header:      map[string]string{replay.HeaderRobot: description.Name, replay.HeaderVersion: version, "source": "kuai record"},
		JSONSchemas: replay.Schemas(),
		OnFault: func(err error) {
			if err != nil {
				a.errors.line("%s", a.errors.red("recording: ")+err.Error())
			}
		},
	})
	if err != nil {
		return err
	}
	link, err := a.dial(ctx, recorded, b.take, func(err error) { a.errors.line("%s", a.errors.yellow("connection lost, trying again: ")+err.Error()) })
	if err != nil {
		return err
	}
	defer link.Close(nil)
	a.errors.line("recording %s into %s; Ctrl-C ends", description.Name, out)
	if length > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, length)
		defer cancel()
	}
	if err := b.run(ctx, c.Cameras); err != nil {
		return err
	}
	a.errors.line("%d samples recorded, %d lost", b.out.Written(), b.out.Dropped())
	return nil
}

// meet waits for the robot's first state, which names its joints.
func (b *bystander) meet(ctx context.Context) (*robot.Description, error) {
	link, err := b.app.dial(ctx, []string{topics.NameState}, func(m broker.Message) {
		var s topics.State
		if json.Unmarshal(m.Payload, &s) == nil && len(s.Joints) > 0 && len(s.Joints) <= robot.MaxJoints {
			select {
			case b.first <- s:
			default:
			}
		}
	}, nil)
	if err != nil {
		return nil, err
	}
	defer link.Close(nil)
	o, err := b.app.linkOptions()
	if err != nil {
		return nil, err
	}
	answer, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	select {
	case s := <-b.first:
		d := &robot.Description{Name: o.Robot}
		for _, j := range s.Joints {
			d.Joints = append(d.Joints, robot.Joint{Name: j.Name})
		}
		return d, nil
	case <-answer.Done():
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, b.app.errNoAnswer(topics.NameState)
	}
}

// run records until ctx ends.
func (b *bystander) run(ctx context.Context, cameras []config.Camera) error {
	group, ctx := errgroup.WithContext(ctx)
	for i := range cameras {
		c := &cameras[i]
		watched, err := camera.New(camera.Config{
			Name: c.Name, URL: c.URL, UDP: c.UDP, Width: c.Width, Height: c.Height, Rate: c.RateHz, Loop: c.Loop, Freeze: c.Freeze, Still: c.Still,
		}, b.app.clock, b.out.Frame, func(r camera.Report) {
			if r.Err != nil {
				b.app.errors.line("%s", b.app.errors.yellow("camera ")+r.Err.Error())
			}
		})
		if err != nil {
			return err
		}
		group.Go(func() error { return watched.Run(ctx) })
	}
	group.Go(func() error { return b.out.Run(ctx) })
	group.Go(func() error { <-ctx.Done(); return ctx.Err() })
	err := group.Wait()
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return nil
	}
	return err
}

// take writes one message down.
func (b *bystander) take(m broker.Message) {
	now := b.app.clock.Now()
	b.out.Message(m.Name, now, m.Payload)
	switch m.Name {
	case topics.NameState:
		var s topics.State
		if json.Unmarshal(m.Payload, &s) == nil {
			b.joints(&s)
		}
	case topics.NamePlan:
		var p topics.Plan
		if !m.Retained && json.Unmarshal(m.Payload, &p) == nil {
			b.episode(&p, now)
		}
	}
}

func (b *bystander) joints(s *topics.State) {
	at := s.At - float64(b.app.clock.Epoch().UnixNano())/1e9
	state := robot.State{At: robot.Time(math.Round(at * 1e9))}
	for i := range min(len(s.Joints), robot.MaxJoints) {
		j := &s.Joints[i]
		state.Position[i], state.Velocity[i], state.Effort[i], state.Temperature[i] = j.Position, j.Velocity, j.Effort, j.Temperature
	}
	b.out.State(state)
}

// episode marks the begin and the end of an instruction.
func (b *bystander) episode(p *topics.Plan, now robot.Time) {
	started, known := b.started[p.ID]
	e := replay.Episode{ID: p.ID, Instruction: p.Instruction, Status: string(p.Status), Reason: p.Reason, Started: started}
	switch {
	case !known && len(b.started) < maxEpisodes:
		e.Started = now.Add(-time.Duration(p.Seconds * float64(time.Second)))
		b.started[p.ID] = e.Started
	case p.Status == topics.PlanRunning:
		return
	}
	if p.Status != topics.PlanRunning {
		e.Ended = now
		delete(b.started, p.ID)
	}
	b.out.JSON(replay.TopicEpisode, now, func() ([]byte, error) { return json.Marshal(e) })
}
