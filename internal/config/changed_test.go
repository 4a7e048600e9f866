package config

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestWhatIsChangedReadsBack(t *testing.T) {
	c := Default()
	c.Robot.Driver, c.Robot.Feetech.Calibration = DriverFeetech, "calibration.yaml"
	c.Runner, c.Affordance = None, None
	c.Cameras = []Camera{{Name: "front", URL: "usb:0", Freeze: 2 * time.Second, Still: time.Second}}
	c.Sim.Camera.Width = 640
	var out bytes.Buffer
	if err := c.WriteChanged(&out, "robot.name", "record.on"); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, want := range []string{"\n  name: so101", "\n  driver: feetech", "calibration: \"calibration.yaml\"", "\nrecord:\n", "\n  on: false", "# "} {
		if !strings.Contains("\n"+text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, usual := range []string{"safety", "baud", "budget_gb", "realtime"} {
		if strings.Contains(text, " "+usual+":") {
			t.Errorf("%q is as ever, but stands in\n%s", usual, text)
		}
	}
	back, err := Read("file", &out)
	if err != nil || !reflect.DeepEqual(back, c) {
		t.Errorf("reads back as %+v (%v), want %+v\n%s", back, err, c, text)
	}
}
