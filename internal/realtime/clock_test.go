package realtime_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/internal/realtime"
	"github.com/kuai-robot/kuai/robot"
)

func TestClockWaits(t *testing.T) {
	c := realtime.Clock{Clock: robot.NewSystemClock()}
	due := c.Now().Add(25 * time.Millisecond)
	if err := c.Wait(context.Background(), due); err != nil {
		t.Fatal(err)
	}
	if now := c.Now(); now < due {
		t.Errorf("Wait returned %v early", due.Sub(now))
	}
	if err := c.Wait(context.Background(), 1); err != nil {
		t.Errorf("an instant that has passed: %v", err)
	}
}

func TestClockEndsWithItsContext(t *testing.T) {
	c := realtime.Clock{Clock: robot.NewSystemClock()}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Wait(ctx, c.Now().Add(time.Hour)) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Wait gave %v", err)
	}
}

func TestPrioritiseSaysWhatItGot(t *testing.T) {
	done := make(chan string)
	go func() {
		// The thread ends with this goroutine, and its class with it.
		done <- lockedPrioritise()
	}()
	if got := <-done; !strings.HasPrefix(got, "SCHED_FIFO 10") && !strings.HasPrefix(got, "ordinary scheduling") {
		t.Errorf("Prioritise says %q", got)
	}
}
