package robot_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/robot"
)

func TestGuard(t *testing.T) {
	fails := errors.New("fails")
	if err := robot.Guard(func() error { return fails }); err != fails || robot.PanicIn(err) != nil {
		t.Errorf("an error comes back as %v", err)
	}
	if err := robot.Guard(func() error { return nil }); err != nil || robot.PanicIn(err) != nil {
		t.Errorf("nothing comes back as %v", err)
	}
	err := robot.Guard(func() error { panic("a bug") })
	p := robot.PanicIn(fmt.Errorf("camera front: %w", err))
	if p == nil || p.Value != "a bug" || p.Error() != "panic: a bug" || !strings.Contains(string(p.Stack), "panic_test.go") {
		t.Errorf("a panic comes back as %v, %+v", err, p)
	}
}
