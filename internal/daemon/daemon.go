package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/feetech"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/internal/web"
	"github.com/kuai-robot/kuai/perception/sensor"
	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/robot"
)

// Options of a Daemon. Config is required; the clock is the machine's unless
// given, the log is discarded.
type Options struct {
	Config  *config.Config
	Clock   robot.Clock
	Log     *slog.Logger
	Version string
	// Supervisor is told when the robot is ready and that its loop is alive.
	Supervisor Supervisor

	// wrap puts something between the loop and the driver, to measure.
	wrap func(control.Driver) control.Driver
}

// Daemon is one robot.
type Daemon struct {
	config  *config.Config
	clock   robot.Clock
	log     *slog.Logger
	version string
	wrap    func(control.Driver) control.Driver

	description *robot.Description
	sim         *simulation     // nil with real joints
	joints      *joints         // nil unless they are MQTT devices
	servos      *feetech.Driver // nil unless they are on a servo bus
	mark        *runMark        // nil with the simulator, which begins anew each time
	loop        *control.Loop
	cameras     []*watched
	sensors     *sensor.Joiner
	mind        *mind                 // nil without a runner
	agent       *agent.Agent          // nil without a runner
	warm        func(context.Context) // reads the scene ahead of the next instruction; nil without a runner
	links       *links
	page        *web.Server // nil without a page
	recording   *recording  // nil when nothing is recorded
	voice       *voice      // nil when it neither hears nor speaks
	supervised  *supervised // nil without a service manager

	stages  stages
	tally   *tally
	out     *outbox
	worker  *worker
	teleop  *teleop
	stopped *robot.Mailbox[string]
	// topic is where what the worker runs came from.
	topic atomic.Pointer[string]
	// heater is nil unless the affordance sees where; heated is what it saw for
	// the running step, and belongs to the agent.
	heater heater
	heated []topics.Heat
	// targets are the objects that the running step is about.
	targets atomic.Pointer[[]string]
	// linkError and stopLinkError say why a link to the broker is down.
	linkError, stopLinkError atomic.Pointer[error]
	// failure is what ended Run, nil for a request.
	failure error
	broken  broken
	// closers free what New made, the newest first.
	closers []func() error
}

// New makes the robot that o.Config describes and connects it; nothing moves
// before Run. An error names the part that failed and frees the others.
func New(o Options) (*Daemon, error) {
	d := &Daemon{config: o.Config, clock: o.Clock, log: o.Log, version: o.Version, wrap: o.wrap, worker: newWorker(), stopped: robot.NewMailbox[string]()}
	if d.clock == nil {
		d.clock = robot.NewSystemClock()
	}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	d.out, d.tally = newOutbox(d.log), newTally()
	d.out.listen(d.tally.message)
	for _, build := range []func() error{
		func() error { return d.buildSupervised(o.Supervisor) }, d.describe, d.buildRecording, d.buildBody, d.buildPerception, d.buildMind, d.buildVoice, d.buildConnections,
	} {
		if err := build(); err != nil {
			return nil, errors.Join(err, d.Close())
		}
	}
	return d, nil
}

func (d *Daemon) describe() (err error) {
	d.description, err = readDescription(d.config)
	return err
}

// buildBody makes what moves: the driver, the safety limits, the loop.
func (d *Daemon) buildBody() (err error) {
	limits, err := compileSafety(d.config)
	if err != nil {
		return err
	}
	driver, err := d.newDriver()
	if err != nil {
		return err
	}
	if d.wrap != nil {
		driver = d.wrap(driver)
	}
	c := control.Config{RateHz: d.config.Control.RateHz, Realtime: true, AfterRestart: d.lookBack()}
	watcher := &tallied{tally: d.tally, broke: func(p *robot.Panic) { d.broke("recording", p, true) }}
	if d.recording != nil {
		watcher.next = d.recording.loop
	}
	c.Watcher = watcher
	driver = &timed{Driver: driver, clock: d.clock, stages: &d.stages}
	d.loop, err = control.New(limits, driver, d.clock, c)
	if err != nil {
		return err
	}
	d.teleop = &teleop{
		clock: d.clock, expiry: d.config.Safety.Teleop.Expiry, steer: d.loop.Steer,
		begins: func() { d.worker.drop("somebody steers the robot") },
	}
	return nil
}

func (d *Daemon) newDriver() (control.Driver, error) {
	switch d.config.Robot.Driver {
	case config.DriverSim:
		sim, err := newSimulation(&d.config.Sim, d.clock, d.log)
		if err != nil {
			return nil, err
		}
		d.sim = sim
		d.closers = append(d.closers, sim.Close)
		return sim.world, nil
	case config.DriverFeetech:
		servos, err := newServos(d)
		if err != nil {
			return nil, err
		}
		d.servos = servos
		d.closers = append(d.closers, servos.Close)
		return servos, nil
	case config.DriverMQTT:
		joints, err := newJoints(d)
		if err != nil {
			return nil, err
		}
		d.joints = joints
		return joints.driver, nil
	case config.DriverGobot:
		driver, err := newPins(d)
		if err != nil {
			return nil, err
		}
		d.closers = append(d.closers, driver.Close)
		return driver, nil
	}
	return nil, fmt.Errorf("robot.driver %q is not known", d.config.Robot.Driver)
}

// lookBack says whether the program before did not end as it should.
func (d *Daemon) lookBack() bool {
	if d.sim != nil {
		return false
	}
	mark, err := newRunMark(d.config.Robot.Name)
	if err != nil {
		d.log.Error("run mark", "error", err)
	}
	d.mark = mark
	d.closers = append(d.closers, mark.close)
	return mark.unclean
}

// buildPerception makes the cameras.
func (d *Daemon) buildPerception() error {
	d.sensors = sensor.New()
	return d.newCameras(d.config.Cameras)
}

// buildMind loads the model and makes the agent, unless no skills run here.
func (d *Daemon) buildMind() (err error) {
	if d.config.Runner == config.None {
		return nil
	}
	if d.sim == nil {
		return fmt.Errorf("runner: %s reads the simulator's state, but robot.driver is %s (set runner and affordance to none)", d.config.Runner, d.config.Robot.Driver)
	}
	if d.mind, err = newMind(d.config); err != nil {
		return err
	}
	d.closers = append(d.closers, d.mind.Close)
	d.mind.compute.listen(d.computeWarning)
	if err := d.mind.remember(d.clock, d.warn); err != nil {
		return err
	}
	e := newScripted(d.description)
	runner, affordance, err := d.newRunner(e)
	if err != nil {
		return err
	}
	d.heater, _ = affordance.(heater)
	planner, closePlanner, err := d.mind.planner(d.clock, affordance)
	if err != nil {
		return err
	}
	d.closers = append(d.closers, closePlanner)
	// The first instruction then costs no more than the others.
	if err := planner.Warm(context.Background(), d.sim.world.Scene()); err != nil {
		return err
	}
	d.warm = warmer(planner, d.sim.world.Scene, d.warn)
	var body body = &realBody{loop: d.loop, clock: d.clock, sensors: d.sensors, scene: d.sim.world.Scene, stages: &d.stages}
	clock := d.clock
	if d.recording != nil {
		body, clock = d.recording.around(body, clock)
	}
	chooser, err := d.mind.elsewhere(planner, affordance, d.clock, d.warn)
	if err != nil {
		return err
	}
	d.agent, err = d.mind.newAgent(chooser, runner, body, clock, d.progress)
	return err
}

// buildConnections lets others in: the broker and the page.
func (d *Daemon) buildConnections() error {
	access, err := newAccess(&d.config.Access)
	if err != nil {
		return err
	}
	tlsConfig, err := serverTLS(&d.config.TLS)
	if err != nil {
		return err
	}
	if d.config.Web.Listen != "" {
		names := make([]string, len(d.cameras))
		for i := range d.cameras {
			names[i] = d.cameras[i].name
		}
		talk, noTalk := d.pageTalk()
		d.page, err = web.New(web.Options{
			Talk: talk, NoTalk: noTalk,
			Listen: d.config.Web.Listen, Hosts: d.config.Web.Hosts, Access: access, TLS: tlsConfig,
			Robot: d.description, Name: d.config.Robot.Name, Version: d.version, Cameras: names,
			Examples: d.examples(), Steering: steering{d}, Ready: d.ready, Metrics: d.metrics(), Clock: d.clock, Log: d.log,
			Broke: func(p *robot.Panic) { d.broke("page", p, false) },
		})
		if err != nil {
			return err
		}
		d.out.listen(func(topic *topics.Topic, payload []byte) { d.page.Publish(topic.Name, payload) })
	}
	if d.links, err = d.newLinks(access, tlsConfig); err != nil {
		return err
	}
	d.closers = append(d.closers, d.closeLinks)
	d.out.listen(d.links.tell)
	return nil
}

func (d *Daemon) examples() []string {
	if d.config.Sim.Demo == "" {
		return nil
	}
	return []string{d.config.Sim.Demo}
}

func (d *Daemon) closeLinks() error {
	h := d.health()
	h.Status, h.Reasons = topics.Offline, []string{d.end()}
	last, err := topics.Encode(h)
	return errors.Join(err, d.links.close(last))
}

// steering is the page's way to the robot.
type steering struct{ d *Daemon }

// Message implements web.Steering; a refusal is an event, which the page shows.
func (s steering) Message(name string, payload []byte) { _ = s.d.receive(name, payload) }

// Stop implements web.Steering.
func (s steering) Stop(reason string) { s.d.Stop(reason) }

// URL gives where the page is; empty without one.
func (d *Daemon) URL() string {
	if d.page == nil {
		return ""
	}
	return d.page.URL()
}

// Broker gives where the broker is.
func (d *Daemon) Broker() string {
	if d.links.server != nil {
		return d.links.server.URL()
	}
	return d.config.Broker.URL
}

// Run is the robot until ctx ends, which gives nil, or a stage that it cannot do
// without fails. The robot has stopped when it returns.
func (d *Daemon) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	vital := func(name string, run func(context.Context) error) {
		group.Go(func() error { return d.vital(ctx, name, run) })
	}
	beside := func(name string, run func(context.Context) error) {
		group.Go(func() error { return d.beside(ctx, name, run) })
	}
	if d.sim != nil {
		vital("sim", d.sim.Run)
	}
	vital("control loop", d.loop.Run)
	vital("stop", d.afterStop)
	for _, c := range d.cameras {
		beside("camera "+c.name, c.watch)
	}
	vital("worker", d.worker.Run)
	if d.voice != nil {
		d.voice.run(beside)
	}
	vital("state", d.publishState)
	vital("health", d.publishHealth)
	if d.recording != nil {
		beside("recording", d.recording.Run)
	}
	if d.page != nil {
		beside("page", d.page.Run)
	}
	if d.supervised != nil {
		vital("supervisor", d.supervised.Run)
	}
	if d.agent != nil && d.config.Sim.Demo != "" {
		beside("demonstration", d.demonstrate)
	}
	d.sayRestart()
	return d.ended(group.Wait())
}

// sayRestart tells everybody why the robot comes up stopped.
func (d *Daemon) sayRestart() {
	if d.mark == nil {
		return
	}
	d.mark.begun = true
	if d.mark.unclean {
		reason := "kuai did not end by itself the last time: the robot is stopped until a reset"
		d.log.Warn("stopped", "reason", reason)
		d.event(topics.Event{Kind: topics.EventStopped, Reason: reason})
	}
}

// ended says that the robot has stopped, and why, while the links are still up.
func (d *Daemon) ended(err error) error {
	d.failure = err
	if err == nil && d.mark != nil {
		// What broke and nobody acknowledged is no clean end.
		d.mark.clean = len(d.broken.reasons()) == 0
	}
	d.event(topics.Event{Kind: topics.EventStopped, Reason: d.end()})
	s := d.loop.Status()
	d.out.say(topics.NameState, d.stateTopic(&s))
	return err
}

// end says why the program ends.
func (d *Daemon) end() string {
	if d.failure != nil {
		return d.failure.Error()
	}
	return "kuai was shut down"
}

// settleTime is how long the control loop needs to engage the joints.
const settleTime = 300 * time.Millisecond

// demonstrate carries out the instruction of the configuration once.
func (d *Daemon) demonstrate(ctx context.Context) error {
	if err := d.clock.Wait(ctx, d.clock.Now().Add(settleTime)); err != nil {
		return err
	}
	if err := d.awaitPictures(ctx); err != nil {
		return err
	}
	if d.worker.busy() {
		return nil
	}
	d.log.Info("demonstration", "instruction", d.config.Sim.Demo)
	return d.instruct(topics.Instruction{ID: "demo", Text: d.config.Sim.Demo})
}

// Close frees everything; Run has returned before.
func (d *Daemon) Close() error {
	var errs []error
	for i := len(d.closers) - 1; i >= 0; i-- {
		errs = append(errs, d.closers[i]())
	}
	d.closers = nil
	return errors.Join(errs...)
}
