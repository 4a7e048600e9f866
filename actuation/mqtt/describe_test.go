package mqtt_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/drivertest"
	"github.com/kuai-robot/kuai/actuation/mqtt"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
)

func TestAJointThatIsNotDescribedIsNotDriven(t *testing.T) {
	desc, clock := drivertest.Arm(), robot.NewManualClock(time.Unix(1_800_000_000, 0), robot.Time(time.Second))
	d := &devices{t: t, desc: desc, clock: clock}
	driver, err := mqtt.New(desc, d, clock, mqtt.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if got := driver.Descriptions(); got != "kuai/v1/arm/actuator/+/description" {
		t.Errorf("Descriptions = %s", got)
	}
	for i := range desc.Joints {
		j := &desc.Joints[i]
		if _, err := driver.Read(); err == nil || !strings.Contains(err.Error(), "joint "+j.Name+" has not described itself") || !strings.Contains(err.Error(), "actuator/"+j.Name+"/description") {
			t.Fatalf("before %s described itself Read gave %v", j.Name, err)
		}
		if err := driver.Describe("kuai/v1/arm/actuator/"+j.Name+"/description", describe(t, j, nil)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := driver.Read(); err == nil || !strings.Contains(err.Error(), "has not reported yet") {
		t.Errorf("Read gave %v", err)
	}
}

func TestDescriptionsThatContradict(t *testing.T) {
	d := newDevices(t, mqtt.Config{})
	d.advance(10 * time.Millisecond)
	j := &d.desc.Joints[2]
	topic := "kuai/v1/arm/actuator/" + j.Name + "/description"
	for want, change := range map[string]func(*topics.ActuatorDescription){
		`that of joint "tail"`:             func(a *topics.ActuatorDescription) { a.Joint = "tail" },
		`kind is "wheel"`:                  func(a *topics.ActuatorDescription) { a.Kind = "wheel" },
		"is not below max_position":        func(a *topics.ActuatorDescription) { a.MinPosition = a.MaxPosition },
		"(narrow that)":                    func(a *topics.ActuatorDescription) { a.MaxPosition -= 0.1 },
		"lower max_velocity":               func(a *topics.ActuatorDescription) { a.MaxVelocity /= 2 },
		"lower max_effort":                 func(a *topics.ActuatorDescription) { a.MaxEffort = 1e-3 },
		"it exerts -1":                     func(a *topics.ActuatorDescription) { a.MaxEffort = -1 },
		"10 times a second":                func(a *topics.ActuatorDescription) { a.RateHz = 10 },
		"stops 0 ms after":                 func(a *topics.ActuatorDescription) { a.TimeoutMS = 0 },
		"stops 600 ms after":               func(a *topics.ActuatorDescription) { a.TimeoutMS = 600 },
		"1e+300 is no number":              func(a *topics.ActuatorDescription) { a.MaxPosition = 1e300 },
		"1e+300 is no number that describ": func(a *topics.ActuatorDescription) { a.TimeoutMS = 1e300 },
	} {
		err := d.driver.Describe(topic, describe(t, j, change))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "joint "+j.Name) {
			t.Errorf("Describe gave %v, want %q", err, want)
		}
		if _, read := d.driver.Read(); read == nil || fmt.Sprint(read) != fmt.Sprint(err) {
			t.Errorf("%s: Read gave %v", want, read)
		}
		if err := d.driver.Describe(topic, describe(t, j, nil)); err != nil {
			t.Fatal(err)
		}
		if _, err := d.driver.Read(); err != nil {
			t.Errorf("once it fits Read gave %v", err)
		}
	}
	// Everything that is wrong is said at once.
	err := d.driver.Describe(topic, describe(t, j, func(a *topics.ActuatorDescription) { a.Kind, a.RateHz = "prismatic", 1 }))
	if err == nil || !strings.Contains(err.Error(), "prismatic") || !strings.Contains(err.Error(), "1 times a second") {
		t.Errorf("Describe gave %v", err)
	}
	for payload, want := range map[string]string{`{"joint":`: "broken JSON", `{"colour":1}`: "unknown field", "": ""} {
		if err := d.driver.Describe(topic, []byte(payload)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: Describe gave %v", payload, err)
		}
	}
	if err := d.driver.Describe("kuai/v1/arm/actuator/tail/description", nil); err == nil || !strings.Contains(err.Error(), "no such joint") {
		t.Errorf("Describe gave %v", err)
	}
}

func FuzzDescribe(f *testing.F) {
	f.Add([]byte(`{"joint":"gripper","kind":"prismatic","min_position":0,"max_position":0.1,"max_velocity":1,"rate_hz":100,"timeout_ms":300}`))
	f.Add([]byte(`{"max_velocity":1e999}`))
	f.Add([]byte("\xff"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		d := newDevices(t, mqtt.Config{})
		d.advance(10 * time.Millisecond)
		err := d.driver.Describe("kuai/v1/arm/actuator/gripper/description", payload)
		_, read := d.driver.Read()
		if (err == nil) != (read == nil) || err != nil && len(err.Error()) > 4000 {
			t.Errorf("Describe gave %v, Read %v", err, read)
		}
	})
}
