package daemon

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
)

// wire is the network between a daemon and its broker, which has faults.
type wire struct {
	t     *testing.T
	proxy *toxiproxy.Proxy
}

func newWire(t *testing.T, address string) *wire {
	t.Helper()
	zerolog.SetGlobalLevel(zerolog.Disabled)
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	w := &wire{t: t, proxy: toxiproxy.NewProxy(server, "broker", "127.0.0.1:0", address)}
	if err := w.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.proxy.Stop)
	return w
}

// fault adds a toxic in both directions.
func (w *wire) fault(kind string, attributes map[string]int) {
	w.t.Helper()
	for _, stream := range []string{"upstream", "downstream"} {
		data, err := json.Marshal(map[string]any{"type": kind, "stream": stream, "attributes": attributes})
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(string(data))); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *wire) mend() {
	w.t.Helper()
	w.proxy.Toxics.ResetToxics(w.t.Context())
	if !w.proxy.Enabled {
		if err := w.proxy.Start(); err != nil {
			w.t.Fatal(err)
		}
	}
}

// remote is a servo arm whose daemon has a broker across a faulty network, and
// a person beside that broker.
type remote struct {
	*rig
	heard *heard
	wire  *wire
	hand  *broker.Link
	// steering is the rate in mrad/s that the person steers with; 0: not.
	steering atomic.Int64
}

func startRemote(t *testing.T) *remote {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	server, err := broker.StartServer(broker.ServerOptions{Listen: "127.0.0.1:0", Robot: "servo-arm"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	m := &remote{wire: newWire(t, strings.TrimPrefix(server.URL(), "tcp://"))}
	c := newServoArm(t).config()
	c.Broker.URL = "tcp://" + m.wire.proxy.Listen
	c.Safety.Teleop = config.Default().Safety.Teleop // what is measured below
	m.rig, m.heard = startServos(t, c, nil)
	username, password, _ := server.Login()
	m.hand, err = broker.Dial(t.Context(), broker.LinkOptions{URL: server.URL(), Username: username, Password: password, Robot: "servo-arm", Role: "person"})
	if err != nil {
		t.Fatal(err)
	}
	m.mustReach(t, safety.Held)
	ctx, cancel := context.WithCancel(t.Context())
	var steers sync.WaitGroup
	steers.Go(func() { m.steers(ctx, t) })
	t.Cleanup(func() {
		cancel()
		steers.Wait()
		m.hand.Close(nil)
		m.end(t)
	})
	return m
}

// steers sends the person's messages, 50 a second, until ctx ends.
func (m *remote) steers(ctx context.Context, t *testing.T) {
	clock := robot.NewSystemClock()
	for due := clock.Now(); clock.Wait(ctx, due) == nil; due = due.Add(20 * time.Millisecond) {
		rate := float64(m.steering.Load()) / 1000
		if rate == 0 {
			continue
		}
		payload, err := topics.Encode(topics.Teleop{At: clock.Now().Seconds(), Velocity: []float64{rate, 0, 0, 0, 0, 0}})
		if err != nil {
			t.Error(err)
			return
		}
		m.hand.Publish(topics.NameTeleop, 0, false, payload)
	}
}

// moving steers until the joints are commanded to move.
func (m *remote) moving(t *testing.T, milliradians int64) {
	t.Helper()
	m.steering.Store(milliradians)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for m.daemon.loop.Status().Command.Velocity == (robot.Joints{}) {
		if err := m.daemon.clock.Wait(ctx, m.daemon.clock.Now().Add(time.Millisecond)); err != nil {
			s := m.daemon.loop.Status()
			t.Fatalf("it does not move: %v, %s", s.Verdict.Mode, m.daemon.loop.Reason(&s))
		}
	}
}

// untilStill gives the time from do until the driver is told a command without
// motion, after which none moved for long enough that a late message would.
func (m *remote) untilStill(t *testing.T, do func()) time.Duration {
	t.Helper()
	clock := m.daemon.clock
	var still atomic.Int64 // when the first without motion after one with it was written
	m.probe.watch(func(c *robot.Command) {
		now := int64(clock.Now())
		switch {
		case c.Velocity != (robot.Joints{}):
			still.Store(0)
		case still.Load() == 0:
			still.Store(now)
		}
	})
	defer m.probe.watch(nil)
	began := clock.Now()
	do()
	const settled = 300 * time.Millisecond
	for {
		m.pause(t, 5*time.Millisecond)
		at := robot.Time(still.Load())
		switch {
		case at != 0 && clock.Now().Sub(max(at, began)) > settled:
			return at.Sub(began)
		case clock.Now().Sub(began) > 20*time.Second:
			t.Fatal("it does not come to rest")
		}
	}
}

// stops stops the moving robot by messages some times, and gives how long each
// took to the driver's first command without motion.
func (m *remote) stops(t *testing.T, times int) (took []time.Duration) {
	t.Helper()
	rate := int64(400)
	for range times {
		m.moving(t, rate)
		took = append(took, m.untilStill(t, func() { m.hand.Publish(topics.NameStop, 1, false, []byte("test")) }))
		m.mustReach(t, safety.Stopped)
		m.steering.Store(0)
		m.pause(t, 200*time.Millisecond) // what is still on its way would move it after the reset
		m.reset(t)
		rate = -rate
	}
	slices.Sort(took)
	return took
}

// A network that is slow makes a stop late by what it is slow, and no more.
func TestStopAcrossASlowNetwork(t *testing.T) {
	for _, c := range []struct {
		name       string
		kind       string
		attributes map[string]int
		delay      time.Duration // the most that the network holds a message up
	}{
		{"no fault", "", nil, 0},
		{"50 ms of delay", "latency", map[string]int{"latency": 50}, 50 * time.Millisecond},
		{"60 ms of delay, 40 ms of jitter", "latency", map[string]int{"latency": 60, "jitter": 40}, 100 * time.Millisecond},
		{"4 kB/s", "bandwidth", map[string]int{"rate": 4}, 100 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := startRemote(t)
			if c.kind != "" {
				m.wire.fault(c.kind, c.attributes)
			}
			took := m.stops(t, 6)
			t.Logf("stop to the driver: half within %.1f ms, all within %.1f ms", took[len(took)/2].Seconds()*1e3, took[len(took)-1].Seconds()*1e3)
			// A busy machine is slower than the network.
			if worst := took[len(took)-1]; worst > c.delay+500*time.Millisecond {
				t.Errorf("a stop took %v with %v of delay", worst, c.delay)
			}
		})
	}
}

// A network that is gone: nothing needs to arrive for the robot to rest, and
// what comes late does not move it.
func TestNetworkIsLostWhileSomebodySteers(t *testing.T) {
	for _, c := range []struct {
		name string
		lose func(*wire)
		// noticed is within what time the daemon knows that the broker is gone.
		noticed time.Duration
	}{
		{"half-open: nothing arrives, nobody is told", func(w *wire) { w.fault("timeout", map[string]int{"timeout": 0}) }, 3 * time.Second},
		{"reset", func(w *wire) { w.fault("reset_peer", map[string]int{"timeout": 0}) }, time.Second},
		{"cut", func(w *wire) { w.proxy.Stop() }, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := startRemote(t)
			clock := m.daemon.clock
			m.moving(t, 400)
			ended := make(chan robot.Time, 1) // a skill, as far as the worker knows
			m.daemon.worker.submit(job{id: "1", topic: topics.NameSkill, refuse: func(string) {}, run: func(ctx context.Context) {
				<-ctx.Done()
				ended <- clock.Now()
			}})
			began := clock.Now()
			rest := m.untilStill(t, func() { c.lose(m.wire) })
			var dropped time.Duration
			select {
			case at := <-ended:
				dropped = at.Sub(began)
			case <-time.After(20 * time.Second):
				t.Fatal("the daemon never noticed")
			}
			t.Logf("at rest after %v, a skill is dropped after %v", rest.Round(time.Millisecond), dropped.Round(time.Millisecond))
			if limit := m.daemon.config.Safety.Teleop.Expiry + 500*time.Millisecond; rest > limit {
				t.Errorf("at rest after %v, want %v at most", rest, limit)
			}
			if dropped > c.noticed+time.Second {
				t.Errorf("noticed after %v, want about %v at most", dropped, c.noticed)
			}
			if h := m.daemon.health(); h.Status != topics.Degraded || !strings.Contains(strings.Join(h.Reasons, " "), "broker") {
				t.Errorf("health is %v: %v", h.Status, h.Reasons)
			}
			// The person lets go; what the network kept must not move the robot.
			m.steering.Store(0)
			m.pause(t, 100*time.Millisecond)
			still := m.untilStill(t, func() {
				m.wire.mend()
				for end := clock.Now().Add(20 * time.Second); !m.daemon.links.main.Up() || !m.daemon.links.stop.Up(); {
					m.pause(t, 10*time.Millisecond)
					if clock.Now() > end {
						t.Fatal("the links do not come back")
					}
				}
			})
			if still > 5*m.daemon.loop.Period() { // the first command is without motion
				t.Errorf("after the network came back it moved for %v", still)
			}
			m.moving(t, -400)
			m.steering.Store(0)
		})
	}
}
