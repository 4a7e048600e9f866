package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world"
)

// rig is a daemon on ports of its own, with a probe between loop and driver.
type rig struct {
	daemon *Daemon
	probe  *probe
	hand   *broker.Link // sends what a person would
	cancel context.CancelFunc
	ended  chan error
}

// probe sees what the loop writes to the driver.
type probe struct {
	control.Driver
	// seen is called with each command, on the loop's goroutine.
	seen atomic.Pointer[func(c *robot.Command)]
}

// Write implements control.Driver.
func (p *probe) Write(c *robot.Command) error {
	err := p.Driver.Write(c)
	if f := p.seen.Load(); f != nil {
		(*f)(c)
	}
	return err
}

// watch sets what is called with each command; nil for nothing.
func (p *probe) watch(f func(c *robot.Command)) {
	if f == nil {
		p.seen.Store(nil)
		return
	}
	p.seen.Store(&f)
}

// privately gives c on free ports of loopback, without a demonstration.
func privately(c *config.Config) (*config.Config, error) {
	p := *c
	p.Sim.Demo, p.Broker.Listen, p.Broker.URL, p.Web.Listen = "", "127.0.0.1:0", "", "127.0.0.1:0"
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	p.Sim.RTSP.Listen, p.Cameras = address, nil
	if len(c.Cameras) == 0 {
		return &p, nil
	}
	for _, name := range world.Cameras() {
		p.Cameras = append(p.Cameras, config.Camera{Name: name, URL: "rtsp://" + address + "/" + name, Freeze: 2 * time.Second})
	}
	return &p, nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// startRig starts a daemon like c and waits until its joints are held. told is
// called with each message that the robot says; it may be nil.
func startRig(ctx context.Context, c *config.Config, told listener) (*rig, error) {
	private, err := privately(c)
	if err != nil {
		return nil, err
	}
	r := &rig{probe: &probe{}, ended: make(chan error, 1)}
	r.daemon, err = New(Options{Config: private, wrap: func(d control.Driver) control.Driver {
		r.probe.Driver = d
		return r.probe
	}})
	if err != nil {
		return nil, err
	}
	if told != nil {
		r.daemon.out.listen(told)
	}
	runCtx, cancel := context.WithCancel(ctx)
	r.cancel = cancel
	go func() { r.ended <- r.daemon.Run(runCtx) }()
	username, password, tls := r.daemon.links.server.Login()
	r.hand, err = broker.Dial(ctx, broker.LinkOptions{URL: r.daemon.Broker(), Username: username, Password: password, TLS: tls, Robot: private.Robot.Name, Role: "hand"})
	if err == nil {
		err = r.until(ctx, safety.Held)
	}
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// until waits for a mode of the safety core.
func (r *rig) until(ctx context.Context, mode safety.Mode) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for r.daemon.loop.Status().Verdict.Mode != mode {
		if err := r.daemon.clock.Wait(ctx, r.daemon.clock.Now().Add(time.Millisecond)); err != nil {
			s := r.daemon.loop.Status()
			return fmt.Errorf("the robot is %s, not %s: %s", s.Verdict.Mode, mode, r.daemon.loop.Reason(&s))
		}
	}
	return nil
}

func (r *rig) close() error {
	if r.hand != nil {
		r.hand.Close(nil)
	}
	r.cancel()
	return errors.Join(<-r.ended, r.daemon.Close())
}

// send publishes m as a person's client would.
func (r *rig) send(name string, m any) error {
	payload, err := topics.Encode(m)
	if err != nil {
		return err
	}
	r.hand.Publish(name, 1, false, payload)
	return nil
}

// underWay waits until the joints are commanded to move.
func (r *rig) underWay(ctx context.Context) error {
	for r.daemon.loop.Status().Command.Velocity == (robot.Joints{}) {
		if err := r.until(ctx, safety.Moving); err != nil {
			return err
		}
		if err := r.daemon.clock.Wait(ctx, r.daemon.clock.Now().Add(time.Millisecond)); err != nil {
			return err
		}
	}
	return nil
}

// rest waits until nothing runs and the joints stand still.
func (r *rig) rest(ctx context.Context) error {
	for r.daemon.worker.busy() || r.daemon.loop.Status().Command.Velocity != (robot.Joints{}) {
		if err := r.daemon.clock.Wait(ctx, r.daemon.clock.Now().Add(10*time.Millisecond)); err != nil {
			return err
		}
	}
	return nil
}
