package daemon

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// job is an instruction or a skill that somebody asked for.
type job struct {
	id, topic string
	run       func(ctx context.Context)
	// refuse is told that the job will never run.
	refuse func(reason string)
}

// worker runs one job at a time. A newer job takes the place of the one that
// runs, and of one that waits for that to end: people change their minds.
type worker struct {
	mu      sync.Mutex
	pending *job
	cancel  context.CancelCauseFunc // of the job that runs; nil when none does
	wake    chan struct{}
}

func newWorker() *worker { return &worker{wake: make(chan struct{}, 1)} }

// submit makes j the next job and ends the one that runs.
func (w *worker) submit(j job) {
	why := fmt.Errorf("replaced by %s %s", j.topic, j.id)
	w.mu.Lock()
	dropped := w.pending
	w.pending = &j
	if w.cancel != nil {
		w.cancel(why)
	}
	w.mu.Unlock()
	if dropped != nil {
		dropped.refuse(why.Error())
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// drop ends the job that runs and forgets the one that waits.
func (w *worker) drop(reason string) {
	w.mu.Lock()
	dropped := w.pending
	w.pending = nil
	if w.cancel != nil {
		w.cancel(errors.New(reason))
	}
	w.mu.Unlock()
	if dropped != nil {
		dropped.refuse(reason)
	}
}

// busy says whether a job runs or waits.
func (w *worker) busy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pending != nil || w.cancel != nil
}

// Run takes jobs until ctx ends.
func (w *worker) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			w.drop("kuai is shutting down")
			return ctx.Err()
		case <-w.wake:
		}
		for w.next(ctx) {
		}
	}
}

// next runs the pending job, if there is one.
func (w *worker) next(ctx context.Context) bool {
	w.mu.Lock()
	j := w.pending
	w.pending = nil
	if j == nil || ctx.Err() != nil {
		w.mu.Unlock()
		if j != nil {
			j.refuse("kuai is shutting down")
		}
		return false
	}
	jobCtx, cancel := context.WithCancelCause(ctx)
	w.cancel = cancel
	w.mu.Unlock()
	j.run(jobCtx)
	w.mu.Lock()
	w.cancel = nil
	w.mu.Unlock()
	cancel(nil)
	return true
}
