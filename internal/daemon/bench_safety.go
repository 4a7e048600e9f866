package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/internal/turns"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/robot"
)

// benchSafety measures a stop beside other traffic, and the loop's punctuality
// beside an encoder that computes all the time.
func benchSafety(ctx context.Context, c *config.Config) ([]bench.Row, error) {
	stops, err := benchBusyStop(ctx, c)
	if err != nil {
		return nil, err
	}
	late, err := benchBusyLoop(ctx, c)
	return append(stops, late...), err
}

// patient is c for a machine that does other things too: a source or state that
// is late must not end a measurement of something else.
func patient(c *config.Config) *config.Config {
	p := *c
	p.Safety.MaxStateAge, p.Safety.MaxTick = time.Second, time.Second
	p.Safety.Skill.Expiry, p.Safety.Skill.MaxAge = 3*time.Second, 5*time.Second
	return &p
}

// busyMessages is how many messages a second others send meanwhile.
const busyMessages = 1000

// trafficName is a topic that the robot knows nothing of.
const trafficName = "traffic"

// traffic sends messages that somebody else listens to.
type traffic struct {
	sender, listener *broker.Link
	heard            atomic.Uint64
}

func newTraffic(ctx context.Context, r *rig) (*traffic, error) {
	username, password, tls := r.daemon.links.server.Login()
	o := broker.LinkOptions{URL: r.daemon.Broker(), Username: username, Password: password, TLS: tls, Robot: r.daemon.config.Robot.Name, Role: "sender"}
	t := &traffic{}
	var err error
	if t.sender, err = broker.Dial(ctx, o); err != nil {
		return nil, err
	}
	o.Role = "listener"
	o.Subscriptions = []broker.Subscription{{Name: trafficName, Handle: func(broker.Message) { t.heard.Add(1) }}}
	if t.listener, err = broker.Dial(ctx, o); err != nil {
		t.sender.Close(nil)
		return nil, err
	}
	return t, nil
}

// run sends at the rate until ctx ends: ten at a time, as bursts are worse.
func (t *traffic) run(ctx context.Context, clock robot.Clock) {
	const burst = 10
	payload := make([]byte, 200)
	for due := clock.Now(); clock.Wait(ctx, due) == nil; due = due.Add(burst * time.Second / busyMessages) {
		for range burst {
			t.sender.Publish(trafficName, 0, false, payload)
		}
	}
}

func (t *traffic) close() {
	t.sender.Close(nil)
	t.listener.Close(nil)
}

// benchBusyStop gives how long a stop message takes to the driver while others
// exchange messages.
func benchBusyStop(ctx context.Context, c *config.Config) (rows []bench.Row, err error) {
	r, err := startRig(ctx, patient(c), nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	others, err := newTraffic(ctx, r)
	if err != nil {
		return nil, err
	}
	defer others.close()
	during, cancel := context.WithCancel(ctx)
	var sends sync.WaitGroup
	sends.Go(func() { others.run(during, r.daemon.clock) })
	began := r.daemon.clock.Now()
	var took []float64
	for range stops {
		ms, err := r.stopOnce(ctx, func() error { r.hand.Publish(topics.NameStop, 1, false, nil); return nil })
		if err != nil {
			cancel()
			sends.Wait()
			return nil, err
		}
		took = append(took, ms)
	}
	rate := float64(others.heard.Load()) / r.daemon.clock.Now().Sub(began).Seconds()
	cancel()
	sends.Wait()
	return []bench.Row{
		{Name: "safety.traffic", Value: rate, Unit: "/s", Bar: fmt.Sprintf(">=%d", busyMessages*9/10)},
		{Name: "safety.stop_p50_busy", Value: bench.Percentile(took, 0.5), Unit: "ms"},
		{Name: "safety.stop_p99_busy", Value: bench.Percentile(took, 0.99), Unit: "ms", Bar: "<5"},
	}, nil
}

// busyRateHz is the rate of the control loop beside the encoder.
const busyRateHz = 500

// benchBusyLoop gives how late the loop's commands leave while pictures are
// embedded without a pause.
func benchBusyLoop(ctx context.Context, c *config.Config) (rows []bench.Row, err error) {
	fast := patient(c)
	// The encoder is the load: a robot does not draw its own pictures.
	fast.Control.RateHz, fast.Cameras = busyRateHz, nil
	dir, err := os.MkdirTemp("", "kuai-tower-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := turns.WriteTower(dir); err != nil {
		return nil, err
	}
	encoder, err := turns.Open(turns.Work{Kind: "encode", Model: dir, Precision: kernels.Float32.String(), Threads: c.Planner.Threads})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, encoder.Close()) }()
	r, err := startRig(ctx, fast, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	during, cancel := context.WithTimeout(ctx, loopTime)
	defer cancel()
	encoded := make(chan error, 1)
	pictures := 0
	go func() {
		var err error
		for ; err == nil && during.Err() == nil; pictures++ {
			_, err = encoder.Once(ctx)
		}
		encoded <- err
	}()
	late, err := r.jitter(during, false)
	if err = errors.Join(err, <-encoded); err != nil {
		return nil, err
	}
	return []bench.Row{
		{Name: "safety.pictures", Value: float64(pictures) / loopTime.Seconds(), Unit: "/s"},
		{Name: "loop.jitter_p99_500hz_encoding", Value: late, Unit: "ms", Bar: "<1"},
	}, nil
}
