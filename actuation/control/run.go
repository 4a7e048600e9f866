package control

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"
)

// Run does the ticks until ctx ends and gives nil then, or an error when
// something in the loop panicked. In both cases the last command written is
// the stopped one. It may be called once.
func (l *Loop) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, l.sleep.wake)()
	done := make(chan error, 1)
	// A goroutine of its own, whose thread ends with it: the scheduling class
	// must not leak to other goroutines.
	go func() {
		runtime.LockOSThread()
		got := "ordinary scheduling (not asked for more)"
		if l.config.Realtime {
			got = becomeRealtime()
		}
		l.realtime.Store(&got)
		err := l.loop(ctx)
		l.finish(err)
		done <- err
	}()
	err := <-done
	l.sleep.close()
	return err
}

func (l *Loop) loop(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("control loop: panic: %v\n%s", p, debug.Stack())
		}
	}()
	next := l.clock.Now()
	for {
		l.sleep.until(ctx, next)
		if ctx.Err() != nil {
			return nil
		}
		now := l.clock.Now()
		if now < next {
			// Woken: only a stop or a release has no time until the next tick.
			if l.stop.Load() != nil || l.release.Load() != l.in.Release {
				l.Tick()
			}
			continue
		}
		l.late.Add(now.Sub(next))
		l.Tick()
		next = next.Add(l.period)
		if end := l.clock.Now(); end >= next {
			missed := end.Sub(next)/l.period + 1
			l.overruns.Add(uint64(missed))
			next = next.Add(missed * l.period)
		}
	}
}

// finalTries bounds how often the last command is tried on a driver that fails.
const finalTries = 10

// finish leaves the robot stopped. The driver may be what panicked, so each
// try is guarded.
func (l *Loop) finish(cause error) {
	reason := "the control loop has ended"
	if cause != nil {
		reason = "the control loop failed"
	}
	l.stop.CompareAndSwap(nil, &reason)
	for range finalTries {
		if l.finalTick() {
			break
		}
	}
	l.publish()
}

func (l *Loop) finalTick() (written bool) {
	defer func() {
		if p := recover(); p != nil {
			l.writes.fail(fmt.Errorf("driver: panic: %v", p))
			written = false
		}
	}()
	stopped := l.stop.Swap(nil)
	l.in.Stop, l.in.Reset = true, false
	l.step(l.clock.Now())
	l.note(stopped)
	if l.config.LimpAtEnd {
		l.command.Enable = false
	}
	l.deaf = 0
	l.write(l.clock.Now())
	return l.deaf == 0
}

// Period gives the time between two ticks.
func (l *Loop) Period() time.Duration { return l.period }
