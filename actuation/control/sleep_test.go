package control

import (
	"context"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

func TestSleepersWake(t *testing.T) {
	for name, clock := range map[string]robot.Clock{
		"system": robot.NewSystemClock(), "manual": robot.NewManualClock(time.Unix(0, 0), 1),
	} {
		for _, hold := range []bool{false, true} {
			s, err := newSleeper(clock, hold)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			far := clock.Now().Add(time.Hour)
			s.wake()
			s.until(ctx, far) // the wake came before
			done := make(chan struct{})
			go func() {
				defer close(done)
				s.until(ctx, far)
			}()
			s.wake()
			<-done
			s.until(ctx, clock.Now()) // is due
			cancel()
			s.wake()
			s.until(ctx, far)
			s.close()
			s.wake() // after the end it does nothing
			s.close()
			if now := clock.Now(); now >= far {
				t.Errorf("%s: it is %v", name, now)
			}
		}
	}
}

func TestSystemSleeperIsOnTime(t *testing.T) {
	clock := robot.NewSystemClock()
	for _, hold := range []bool{false, true} {
		s, err := newSleeper(clock, hold)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range []time.Duration{0, 100 * time.Microsecond, 3 * time.Millisecond} {
			due := clock.Now().Add(d)
			s.until(context.Background(), due)
			if now := clock.Now(); now < due {
				t.Errorf("woke %v early", due.Sub(now))
			}
		}
		s.close()
	}
}
