package daemon

import (
	"fmt"
	"os"

	"github.com/kuai-robot/kuai/actuation/feetech"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/robot"
)

// Servos gives the robot that c describes and which servo moves which of its
// joints, for who calibrates them.
func Servos(c *config.Config) (*robot.Description, []feetech.Servo, error) {
	d, err := readDescription(c)
	if err != nil {
		return nil, nil, err
	}
	servos, err := servosOf(&c.Robot.Feetech, d)
	return d, servos, err
}

// servosOf gives the servos that c lists, not calibrated yet.
func servosOf(c *config.Feetech, d *robot.Description) ([]feetech.Servo, error) {
	var servos []feetech.Servo
	if len(c.Joints) == 0 {
		for i := range d.Joints {
			servos = append(servos, feetech.Servo{Joint: d.Joints[i].Name, ID: byte(i + 1)})
		}
		return servos, nil
	}
	for _, j := range c.Joints {
		if d.Index(j.Name) < 0 {
			var names []string
			for i := range d.Joints {
				names = append(names, d.Joints[i].Name)
			}
			return nil, fmt.Errorf("robot.feetech.joints: robot %s has no joint %q (did you mean %s?)", d.Name, j.Name, robot.Nearest(j.Name, names))
		}
		servos = append(servos, feetech.Servo{Joint: j.Name, ID: byte(j.ID), PerTurn: j.PerTurn, StallEffort: j.StallEffort})
	}
	return servos, nil
}

// newServos gives the driver of joints on a Feetech bus.
func newServos(d *Daemon) (*feetech.Driver, error) {
	c := &d.config.Robot.Feetech
	servos, err := servosOf(c, d.description)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(c.Calibration)
	if err != nil {
		return nil, fmt.Errorf("robot.feetech.calibration: %w (kuai calibrate writes it)", err)
	}
	defer file.Close()
	calibration, err := feetech.ReadCalibration(c.Calibration, file)
	if err != nil {
		return nil, fmt.Errorf("robot.feetech.calibration: %w", err)
	}
	if err := calibration.Apply(servos); err != nil {
		return nil, fmt.Errorf("robot.feetech.calibration %s: %w", c.Calibration, err)
	}
	bus := feetech.Config{Port: c.Port, Timeout: c.Timeout, Servos: servos}
	return feetech.New(d.description, d.clock, bus, func() (feetech.Port, error) { return feetech.Open(c.Port, c.Baud) })
}

// servoReasons says which servos report that something is wrong with them.
func (d *Daemon) servoReasons() (reasons []string) {
	if d.servos == nil {
		return nil
	}
	for _, s := range d.servos.Report().Servos {
		if s.Answering && s.Faults != 0 {
			reasons = append(reasons, fmt.Sprintf("joint %s: its servo reports %v (%.1f V, %.2f A, %.0f °C)", s.Joint, s.Faults, s.Volts, s.Ampers, s.Celsius))
		}
	}
	return reasons
}
