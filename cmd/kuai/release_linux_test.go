package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/actuation/feetech"
	"github.com/kuai-robot/kuai/actuation/feetech/emulator"
)

// What a service manager runs after the program was killed: the servos hold
// their last goal, and nobody is there to be asked.
func TestReleaseBus(t *testing.T) {
	bus := emulator.New(1, 2, 3, 4, 5, 6)
	for id := byte(1); id <= 6; id++ {
		bus.Set(id, feetech.RegTorque, 1)
	}
	port, unplug, err := bus.Serve()
	if err != nil {
		t.Skipf("no pseudo terminal here: %v", err)
	}
	path := filepath.Join(t.TempDir(), "robot.yaml")
	text := fmt.Sprintf("robot: {driver: feetech, feetech: {port: %s, timeout: 50ms, calibration: none.yaml}}\nrunner: none\naffordance: none\ncameras: []\n", port)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := kuai(t.Context(), nil, "", "release", "--bus", "--config", path); got.status != 0 || !strings.Contains(got.out, "6 servos released") {
		t.Errorf("release gave %+v", got)
	}
	for id := byte(1); id <= 6; id++ {
		if bus.Byte(id, feetech.RegTorque) != 0 {
			t.Errorf("servo %d holds", id)
		}
	}
	// One that does not answer is named, the others are released.
	bus.Set(5, feetech.RegTorque, 1)
	bus.Silence(2, true)
	if got := kuai(t.Context(), nil, "", "release", "--bus", "--config", path); got.status != exitFailed || !strings.Contains(got.errors, "shoulder_lift") {
		t.Errorf("release gave %+v", got)
	}
	if bus.Byte(5, feetech.RegTorque) != 0 {
		t.Error("servo 5 holds")
	}
	if err := unplug(); err != nil {
		t.Fatal(err)
	}
	if got := kuai(t.Context(), nil, "", "release", "--bus", "--config", path); got.status != exitFailed {
		t.Errorf("without an adapter release gave %+v", got)
	}
	if got := kuai(t.Context(), nil, "", "release", "--bus"); got.status != 0 || !strings.Contains(got.out, "no servo bus") {
		t.Errorf("in simulation release gave %+v", got)
	}
}
