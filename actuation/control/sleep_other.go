//go:build !linux

package control

import "github.com/kuai-robot/kuai/robot"

func newSleeper(clock robot.Clock, _ bool) (sleeper, error) { return &clockSleeper{clock: clock}, nil }
