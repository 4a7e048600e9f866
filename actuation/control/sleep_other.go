//go:build !linux

package control

import "github.com/kuai-robot/kuai/robot"

func newSleeper(clock robot.Clock) (sleeper, error) { return &clockSleeper{clock: clock}, nil }
