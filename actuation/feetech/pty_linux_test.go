package feetech_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/drivertest"
	"github.com/kuai-robot/kuai/actuation/feetech"
	"github.com/kuai-robot/kuai/actuation/feetech/emulator"
	"github.com/kuai-robot/kuai/robot"
)

const baud = 1_000_000

// The same as on a device file: raw mode, exclusive, and what a pulled plug
// looks like. The timeout is long, for the emulator shares the processor.
func TestOverAPseudoTerminal(t *testing.T) {
	bus := emulator.New(1, 2, 3, 4, 5, 6)
	path, unplug, err := bus.Serve()
	if err != nil {
		t.Skipf("no pseudo terminal here: %v", err)
	}
	c := config()
	c.Port, c.Timeout = path, 2*time.Second
	clock := robot.NewManualClock(time.Unix(0, 0), 1)
	driver, err := feetech.New(drivertest.Arm(), clock, c, func() (feetech.Port, error) { return feetech.Open(path, baud) })
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		clock.Advance(10 * time.Millisecond)
		s, err := driver.Read()
		if err != nil || s.At != clock.Now() {
			t.Fatalf("Read over %s: %+v, %v", path, s, err)
		}
		if err := driver.Write(&robot.Command{Enable: true, Position: s.Position}); err != nil {
			t.Fatal(err)
		}
	}
	// The last sync write has no answer; a read behind it says that it came.
	if _, err := driver.Read(); err != nil {
		t.Fatal(err)
	}
	if bus.Byte(1, feetech.RegTorque) != 1 || bus.Word(1, feetech.RegGoal) != 2048 {
		t.Errorf("torque %d, goal %d; want 1, 2048", bus.Byte(1, feetech.RegTorque), bus.Word(1, feetech.RegGoal))
	}
	if c := driver.Report().Counters; c.Spoilt+c.Strange != 0 {
		t.Errorf("counters %+v: the terminal changes bytes", c)
	}
	if err := unplug(); err != nil {
		t.Fatal(err)
	}
	if _, err := driver.Read(); err == nil || !strings.Contains(err.Error(), "servo bus "+path) {
		t.Errorf("Read after the plug was pulled gave %v", err)
	}
	if _, err := feetech.Open("/dev/null", baud); err == nil || !strings.Contains(err.Error(), "not a serial port") {
		t.Errorf("Open of /dev/null gave %v", err)
	}
	if _, err := feetech.Open("/dev/there-is-none", baud); err == nil || !strings.Contains(err.Error(), "plugged in?") {
		t.Errorf("Open of nothing gave %v", err)
	}
	if _, err := feetech.Open(path, 9600); err == nil || !strings.Contains(err.Error(), "9600 baud") {
		t.Errorf("Open at 9600 baud gave %v", err)
	}
}
