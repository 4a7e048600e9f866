package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/feetech"
	"github.com/kuai-robot/kuai/actuation/feetech/emulator"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world/so101"
)

// person moves the joints as the prompts say, a little each time the program
// waits, and presses Enter when that is done.
type person struct {
	*robot.SystemClock
	t   *testing.T
	bus *emulator.Bus
	// low and high are the counts to turn from the middle to a joint's lowest and
	// highest position.
	low, high []float64
	enter     *io.PipeWriter

	mu     sync.Mutex
	said   strings.Builder
	joint  int
	left   float64 // still to be turned
	asked  bool    // Enter is to be pressed when left is 0
	tricky bool    // at first the joint is moved to one end only
}

// Write hears the prompts.
func (p *person) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said.Write(text)
	for i, j := range so101.Description().Joints {
		lowest, highest := strings.Contains(string(text), j.Name+" (servo"), strings.HasPrefix(string(text), j.Name+": now slowly")
		switch {
		case lowest:
			if p.joint != i {
				p.joint, p.left = i, p.low[i]
			} else {
				p.left = p.low[i] - p.high[i]*0.3 // came from the false end
			}
		case highest:
			p.left = p.high[i] - p.low[i]
			if p.tricky && i == 1 {
				p.left, p.tricky = p.high[i]*0.3-p.low[i], false
			}
		}
	}
	if strings.Contains(string(text), "press Enter") {
		p.asked = true
		if p.joint < 0 && strings.Contains(string(text), "servos on the bus") {
			p.asked = false
			go func() { _, _ = io.WriteString(p.enter, "\n") }()
		}
	}
	return len(text), nil
}

// Wait is called between two looks at the servos.
func (p *person) Wait(ctx context.Context, _ robot.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	step := max(-300, min(300, p.left))
	if p.left -= step; step != 0 {
		p.bus.Turn(byte(p.joint+1), step)
	} else if p.asked {
		p.asked = false
		go func() { _, _ = io.WriteString(p.enter, "\n") }()
	}
	return ctx.Err()
}

// unmeasured is a robot of emulated servos that nobody has calibrated.
func unmeasured(t *testing.T) (bus *emulator.Bus, configuration string) {
	t.Helper()
	bus = emulator.New(1, 2, 3, 4, 5, 6)
	port, unplug, err := bus.Serve()
	if err != nil {
		t.Skipf("no pseudo terminal here: %v", err)
	}
	t.Cleanup(func() { _ = unplug() })
	configuration = filepath.Join(t.TempDir(), "robot.yaml")
	text := fmt.Sprintf("robot: {driver: feetech, feetech: {port: %s, timeout: 2s, calibration: calibration.yaml}}\nrunner: none\naffordance: none\n", port)
	if err := os.WriteFile(configuration, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return bus, configuration
}

func TestCalibrate(t *testing.T) {
	bus, configuration := unmeasured(t)
	in, enter := io.Pipe()
	p := &person{SystemClock: robot.NewSystemClock(), t: t, bus: bus, enter: enter, joint: -1, tricky: true}
	d := so101.Description()
	for i, j := range d.Joints {
		half := (j.Limits.MaxPosition - j.Limits.MinPosition) / 2 * feetech.Counts / (2 * math.Pi)
		if j.Name == d.Gripper {
			half = 700
		}
		if i%2 == 1 { // screwed on the other way round
			half = -half
		}
		p.low, p.high = append(p.low, -half), append(p.high, half)
		bus.Turn(byte(i+1), float64(i)*700) // some across the seam
		bus.Set(byte(i+1), feetech.RegTorque, 1)
	}
	a := &app{in: in, out: &terminal{Writer: p}, errors: &terminal{Writer: p}, env: func(string) string { return "" }, clock: p}
	if status := a.execute(deadline(t), []string{"calibrate", "--config", configuration}); status != 0 {
		t.Fatalf("status %d:\n%s", status, p.said.String())
	}
	said := p.said.String()
	for _, want := range []string{
		"6 servos on the bus", "shoulder_pan (servo 1): move it to its lowest position (the hand goes right)", "shoulder_lift: now slowly to its highest position (the hand goes",
		"gripper (servo 6): move it to its lowest position (closed)", "wrist_roll: now slowly to its highest position (it turns anticlockwise, seen from in front)",
		"shoulder_lift: it moved", "Once more", "written: ",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it did not say %q:\n%s", want, said)
		}
	}
	file, err := os.Open(filepath.Join(filepath.Dir(configuration), "calibration.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c, err := feetech.ReadCalibration("written", file)
	if err != nil || len(c.Servos) != len(d.Joints) {
		t.Fatalf("%+v, %v", c, err)
	}
	for i, s := range c.Servos {
		turn := 2 * math.Pi
		if s.PerTurn != 0 {
			turn = s.PerTurn
		}
		if s.Reverse != (i%2 == 1) || (s.PerTurn != 0) != (s.Joint == d.Gripper) {
			t.Errorf("%+v", s)
		}
		if s.Reverse {
			turn = -turn
		}
		// All joints stand at their highest position now.
		q := float64(bus.Word(s.ID, feetech.RegPosition)-s.Zero) * turn / feetech.Counts
		if math.Abs(q-d.Joints[i].Limits.MaxPosition) > 0.01 {
			t.Errorf("%s reads %g at its highest position, want %g", s.Joint, q, d.Joints[i].Limits.MaxPosition)
		}
		if bus.Byte(s.ID, feetech.RegTorque) != 0 {
			t.Errorf("%s has torque", s.Joint)
		}
	}
}

func TestCalibrateFailsClearly(t *testing.T) {
	bus, configuration := unmeasured(t)
	old := filepath.Join(filepath.Dir(configuration), "calibration.yaml")
	if err := os.WriteFile(old, []byte("servos: [{joint: gripper, id: 6, zero: 1, reverse: false}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(stdin string, args ...string) outcome {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		return kuai(ctx, nil, stdin, append([]string{"calibrate"}, args...)...)
	}
	if got := run("\n", "--config", configuration); got.status != exitFailed || !strings.Contains(got.errors, "the input ended before the calibration did; nothing was changed") {
		t.Errorf("without a person: %+v", got)
	}
	bus.Silence(4, true)
	short := strings.Replace(readText(t, configuration), "timeout: 2s", "timeout: 10ms", 1)
	if err := os.WriteFile(configuration, []byte(short), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := run("\n\n", "--config", configuration); got.status != exitFailed || !strings.Contains(got.errors, "joint wrist_flex: servo 4: no answer") {
		t.Errorf("with a servo missing: %+v", got)
	}
	if text := readText(t, old); !strings.Contains(text, "zero: 1") {
		t.Errorf("the old calibration is now %q", text)
	}
	if got := run("", "--config", ""); got.status != exitInput || !strings.Contains(got.errors, "robot.driver is sim") {
		t.Errorf("of the simulator: %+v", got)
	}
	gone := strings.Replace(short, "port: /dev/pts/", "port: /dev/nowhere", 1)
	if err := os.WriteFile(configuration, []byte(gone), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := run("", "--config", configuration); got.status != exitFailed || !strings.Contains(got.errors, "plugged in?") {
		t.Errorf("without an adapter: %+v", got)
	}
}

func TestDoctorLooksAtTheServoBus(t *testing.T) {
	_, configuration := unmeasured(t)
	got := kuai(deadline(t), nil, "", "doctor", "--config", configuration)
	for _, want := range []string{"servo bus      /dev/pts/", "calibration    open ", "→ kuai calibrate"} {
		if !strings.Contains(got.out, want) {
			t.Errorf("it did not say %q:\n%s", want, got.out)
		}
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
