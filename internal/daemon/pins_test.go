package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/sim/world/so101"
)

// pinned is a configuration whose joints hang on pins, as the file says.
func pinned(t *testing.T, file string) *config.Config {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	c := config.Default()
	c.Robot.Driver, c.Runner, c.Affordance = config.DriverGobot, config.None, config.None
	c.Cameras, c.Web.Listen, c.Broker.Listen = nil, "", "127.0.0.1:0"
	c.Robot.Pins = filepath.Join(t.TempDir(), "pins.yaml")
	if file != "" {
		if err := os.WriteFile(c.Robot.Pins, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return &c
}

func TestPins(t *testing.T) {
	var good strings.Builder
	good.WriteString("boards: [{name: arm, adaptor: firmata, port: /dev/nowhere}]\njoints:\n")
	for i, j := range so101.Description().Joints {
		good.WriteString("  - {name: " + j.Name + ", kind: servo, pin: \"" + string(rune('3'+i)) + "\"}\n")
	}
	for want, file := range map[string]string{
		"robot.pins: open ":                 "",
		`unknown key "port" (did you mean `: strings.Replace(good.String(), "pin:", "port:", 1),
		"has no such joint":                 strings.Replace(good.String(), "name: gripper", "name: griper", 1),
	} {
		if _, err := New(Options{Config: pinned(t, file)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	// A board that is not there is no reason not to start: the driver goes on
	// trying, and says what it lacks.
	d, err := New(Options{Config: pinned(t, good.String())})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for end := d.clock.Now().Add(5 * time.Second); ; {
		d.loop.Tick()
		if err := d.loop.Status().LastError; err != nil && strings.Contains(err.Error(), "board arm: open /dev/nowhere") {
			return
		}
		if d.clock.Now() > end {
			t.Fatalf("the driver says %v", d.loop.Status().LastError)
		}
	}
}
