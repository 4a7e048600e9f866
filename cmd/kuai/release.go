package main

import (
	"errors"

	"github.com/kuai-robot/kuai/actuation/feetech"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/daemon"
)

// releaseBus cuts the torque of servos that no program commands any more. Other
// joints have a watchdog of their own, so there is nothing to do for them.
func (a *app) releaseBus() error {
	c, err := config.Load(a.configPath)
	if err != nil {
		return &exitError{exitInput, err}
	}
	if c.Robot.Driver != config.DriverFeetech {
		a.out.line("robot.driver is %s: there is no servo bus to release", c.Robot.Driver)
		return nil
	}
	description, servos, err := daemon.Servos(&c)
	if err != nil {
		return &exitError{exitInput, err}
	}
	port, err := feetech.Open(c.Robot.Feetech.Port, c.Robot.Feetech.Baud)
	if err != nil {
		return err
	}
	bus := feetech.NewBus(port, c.Robot.Feetech.Timeout)
	err = feetech.NewByHand(description, bus, servos).Limp()
	if err = errors.Join(err, bus.Close()); err != nil {
		return err
	}
	a.out.line("%d servos released", len(servos))
	return nil
}
