package feetech_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/actuation/feetech"
)

var someCalibration = feetech.Calibration{Servos: []feetech.Calibrated{{Joint: "pan", ID: 1, Zero: 2048}, {Joint: "yes", ID: 253, Zero: -7, Reverse: true, PerTurn: 0.1}}}

func TestCalibrationIsWrittenAndRead(t *testing.T) {
	var out bytes.Buffer
	if err := someCalibration.Write(&out); err != nil {
		t.Fatal(err)
	}
	got, err := feetech.ReadCalibration("test", &out)
	if err != nil || !reflect.DeepEqual(*got, someCalibration) {
		t.Errorf("came back as %+v, %v", got, err)
	}
	servos := []feetech.Servo{{Joint: "yes", ID: 253, PerTurn: 2}}
	if err := got.Apply(servos); err != nil || servos[0] != (feetech.Servo{Joint: "yes", ID: 253, Zero: -7, Reverse: true, PerTurn: 2}) {
		t.Errorf("applied: %+v, %v", servos, err)
	}
	if servos[0].PerTurn = 0; got.Apply(servos) != nil || servos[0].PerTurn != 0.1 {
		t.Errorf("the measured turn was not taken: %+v", servos)
	}
	for want, s := range map[string]feetech.Servo{
		"calibrated with servo 1, the configuration says 2": {Joint: "pan", ID: 2},
		"joint tilt is not in the calibration":              {Joint: "tilt", ID: 1},
	} {
		if err := got.Apply([]feetech.Servo{s}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Apply to %+v gave %v, want %q", s, err, want)
		}
	}
}

func TestCalibrationIsReadStrictly(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "is empty",
		"servos: []":                            "lists no servo",
		"servos: [{joint: a, id: 1, zerro: 3}]": "zerro",
		"servos: [{joint: a, id: 254}]":         "id 254",
		"servos: [{joint: a, id: 256}]":         "256",
		"servos: [{id: 1}]":                     "no name",
		"servos: [{joint: a}, {joint: a, id: 1}]": "twice",
		"servos: [{joint: a}, {joint: b}]":        "twice",
		"servos: [{joint: a, zero: 9000}]":        "more than a turn",
		"servos: [{joint: a, per_turn: .nan}]":    "per_turn",
		strings.Repeat(" ", 70_000):               "longer than",
	} {
		if _, err := feetech.ReadCalibration("file.yaml", strings.NewReader(text)); err == nil ||
			!strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "calibration file.yaml") {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}

func FuzzReadCalibration(f *testing.F) {
	for _, seed := range []string{"", "servos: [{joint: a, id: 1, zero: 2048, reverse: true}]", "servos: {}", "- 1", "servos: &a [*a]", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := feetech.ReadCalibration("fuzz", strings.NewReader(text))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := c.Write(&out); err != nil {
			t.Fatal(err)
		}
		again, err := feetech.ReadCalibration("written", &out)
		if err != nil || !reflect.DeepEqual(c, again) {
			t.Fatalf("%q came back as %+v, %v", text, again, err)
		}
	})
}
