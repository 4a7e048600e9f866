package gobot_test

import (
	"errors"
	"math"
	"strconv"
	"sync"
	"testing"
	"time"

	upstream "gobot.io/x/gobot/v2"

	"github.com/kuai-robot/kuai/actuation/drivertest"
	"github.com/kuai-robot/kuai/actuation/gobot"
	"github.com/kuai-robot/kuai/robot"
)

// rack is a computer's header with a servo on each pin, which stands where its
// newest pulse put it.
type rack struct {
	t      *testing.T
	desc   *robot.Description
	clock  *robot.ManualClock
	real   robot.Clock
	driver *gobot.Driver
	wrote  robot.Time // the newest command; 0: none since the header came or went
	away   bool       // gone, or slow

	mu    sync.Mutex
	turn  *sync.Cond // that a call may end
	slow  bool
	gone  error
	width []float64 // µs; of the newest pulse
	live  []bool    // pulses come
}

func newRack(t *testing.T) *rack {
	t.Helper()
	r := &rack{t: t, desc: drivertest.Arm(), real: robot.NewSystemClock(), clock: robot.NewManualClock(time.Unix(0, 0), robot.Time(time.Second))}
	r.turn = sync.NewCond(&r.mu)
	r.live = make([]bool, len(r.desc.Joints))
	for i := range r.desc.Joints {
		r.width = append(r.width, r.pulse(i, r.desc.Joints[i].Home))
	}
	return r
}

// pulse gives the width at which joint i stands at q, position the inverse.
func (r *rack) pulse(i int, q float64) float64 {
	l := &r.desc.Joints[i].Limits
	return shortest + (q-l.MinPosition)/(l.MaxPosition-l.MinPosition)*(longest-shortest)
}

func (r *rack) position() (q robot.Joints) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, w := range r.width {
		l := &r.desc.Joints[i].Limits
		q[i] = l.MinPosition + (w-shortest)/(longest-shortest)*(l.MaxPosition-l.MinPosition)
	}
	return q
}

func (r *rack) driven() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, on := range r.live {
		if on {
			return true
		}
	}
	return false
}

func (r *rack) set(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
	r.turn.Broadcast()
}

// Connect implements gobot.Adaptor.
func (r *rack) Connect() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gone
}

// Finalize implements gobot.Adaptor.
func (r *rack) Finalize() error { return nil }

// PWMPin gives the pin called id.
func (r *rack) PWMPin(id string) (upstream.PWMPinner, error) {
	n, err := strconv.Atoi(id)
	return &rackPin{rack: r, n: n}, err
}

type rackPin struct {
	upstream.PWMPinner
	rack *rack
	n    int
}

func (p *rackPin) SetDutyCycle(ns uint32) error {
	r := p.rack
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.slow {
		r.turn.Wait()
	}
	if r.gone != nil {
		return r.gone
	}
	if r.live[p.n] = ns > 0; ns > 0 {
		r.width[p.n] = float64(ns) / 1e3
	}
	return nil
}

// Write implements control.Driver and notes when.
func (r *rack) Write(c *robot.Command) error {
	err := r.driver.Write(c)
	if err == nil {
		r.wrote = r.clock.Now()
	}
	return err
}

// Read implements control.Driver.
func (r *rack) Read() (robot.State, error) { return r.driver.Read() }

// pass lets time go by; the driver's worker, which lives in real time, is waited
// for until it has done what was due.
func (r *rack) pass(d time.Duration) {
	r.t.Helper()
	const step = 2 * time.Millisecond
	for ; d > 0; d -= step {
		r.clock.Advance(step)
		begin := r.real.Now()
		for !r.abreast(r.real.Now().Sub(begin)) {
			if err := r.real.Wait(r.t.Context(), r.real.Now().Add(50*time.Microsecond)); err != nil {
				r.t.Fatal(err)
			}
		}
	}
}

func (r *rack) abreast(spent time.Duration) bool {
	const (
		beats  = 14 * time.Millisecond // the driver looks after an idle header every 10
		lost   = 50 * time.Millisecond // it comes or went
		little = 200 * time.Microsecond
		long   = 2 * time.Second
	)
	s, err := r.driver.Read()
	age := r.clock.Now().Sub(s.At)
	switch {
	case r.away || err != nil || age > lost:
		return spent > little
	case r.wrote != 0 && r.clock.Now().Sub(r.wrote) <= drivertest.Period:
		return s.At >= r.wrote || spent > long
	case r.driven(): // nobody asks it for anything
		return spent > little
	}
	return age <= beats || spent > long
}

func TestConformanceOfHeaders(t *testing.T) {
	drivertest.Run(t, func(t *testing.T) *drivertest.Rig {
		r := newRack(t)
		c := &gobot.Config{Boards: []gobot.Board{{Name: "head", Adaptor: "own"}}}
		for i := range r.desc.Joints {
			c.Joints = append(c.Joints, gobot.Joint{
				Name: r.desc.Joints[i].Name, Kind: gobot.KindServo, Pin: strconv.Itoa(i), MinPulse: shortest, MaxPulse: longest,
			})
		}
		var err error
		r.driver, err = gobot.New(gobot.Options{
			Config: c, Description: r.desc, Clock: r.clock,
			Adaptors: map[string]gobot.NewAdaptor{"own": func(*gobot.Board, []string) (gobot.Adaptor, error) { return r, nil }},
		})
		if err != nil {
			t.Fatal(err)
		}
		slow := func(on bool) {
			r.away = on
			r.set(func() { r.slow = on })
		}
		t.Cleanup(func() {
			slow(false)
			if err := r.driver.Close(); err != nil {
				t.Error(err)
			}
		})
		return &drivertest.Rig{
			Driver: r, Description: r.desc, Clock: r.clock, Advance: r.pass, Position: r.position, Enabled: r.driven,
			Resolution: 2 * math.Pi / (longest - shortest), Settle: 2 * drivertest.Period, Slow: slow,
			Unplug: func() { r.away = true; r.set(func() { r.gone = errors.New("no such device") }) },
			Plug:   func() { r.away, r.wrote = false, 0; r.set(func() { r.gone = nil }) },
		}
	})
}
