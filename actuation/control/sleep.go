package control

import (
	"context"
	"sync"

	"github.com/kuai-robot/kuai/robot"
)

// sleeper lets the loop sleep until an instant or until it is woken.
type sleeper interface {
	// until returns at t or after wake, which counts once even when it came
	// before; whoever ends ctx calls wake as well.
	until(ctx context.Context, t robot.Time)
	// wake may be called from any goroutine and does not block.
	wake()
	close()
}

// clockSleeper works with any clock.
type clockSleeper struct {
	clock robot.Clock

	mu     sync.Mutex
	woken  bool
	cancel context.CancelFunc
}

func (s *clockSleeper) until(ctx context.Context, t robot.Time) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	if s.woken {
		s.woken = false
		s.mu.Unlock()
		return
	}
	s.cancel = cancel
	s.mu.Unlock()
	_ = s.clock.Wait(ctx, t) // why it returned, the caller sees on the clock and on ctx
	s.mu.Lock()
	s.cancel, s.woken = nil, false
	s.mu.Unlock()
}

func (s *clockSleeper) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.woken = true
	if s.cancel != nil {
		s.cancel()
	}
}

func (s *clockSleeper) close() {}
