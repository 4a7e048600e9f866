package daemon

import (
	"context"
	"slices"
	"sync"
	"testing"
)

// diary collects what happens to jobs, in order.
type diary struct {
	mu   sync.Mutex
	said []string
}

func (r *diary) say(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, text)
}

// endless gives a job that ends with its context and says why.
func (r *diary) endless(id string, started chan<- struct{}, ended chan<- struct{}) job {
	return job{id: id, topic: "instruction", refuse: func(why string) { r.say(id + " refused: " + why) }, run: func(ctx context.Context) {
		close(started)
		<-ctx.Done()
		r.say(id + " ended: " + context.Cause(ctx).Error())
		close(ended)
	}}
}

func TestANewerJobReplacesTheOneThatRuns(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	w, r := newWorker(), &diary{}
	finished := make(chan error)
	go func() { finished <- w.Run(ctx) }()

	started, ended := make(chan struct{}), make(chan struct{})
	w.submit(r.endless("1", started, ended))
	<-started
	second := make(chan struct{})
	w.submit(job{id: "2", topic: "instruction", run: func(context.Context) { close(second) }})
	<-ended
	<-second
	stop()
	<-finished
	if want := []string{"1 ended: replaced by instruction 2"}; !slices.Equal(r.said, want) {
		t.Errorf("said %q, want %q", r.said, want)
	}
	if w.busy() {
		t.Error("busy after the last job")
	}
}

func TestDropEndsTheRunningAndRefusesTheWaiting(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	w, r := newWorker(), &diary{}
	release := make(chan struct{})
	started, ended := make(chan struct{}), make(chan struct{})
	go w.Run(ctx)
	w.submit(job{id: "1", topic: "skill", run: func(jobCtx context.Context) {
		close(started)
		<-release
		r.say("1 ended: " + context.Cause(jobCtx).Error())
		close(ended)
	}})
	<-started
	w.submit(job{id: "2", topic: "skill", run: func(context.Context) { r.say("2 ran") }, refuse: func(why string) { r.say("2 refused: " + why) }})
	w.drop("stop message")
	close(release)
	<-ended
	if want := []string{"2 refused: stop message", "1 ended: replaced by skill 2"}; !slices.Equal(r.said, want) {
		t.Errorf("said %q, want %q", r.said, want)
	}
}

func TestShutdownRefusesWhatWaits(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	w, r := newWorker(), &diary{}
	w.submit(job{id: "1", topic: "skill", run: func(context.Context) { r.say("ran") }, refuse: r.say})
	if err := w.Run(ctx); err == nil {
		t.Error("Run gave nil")
	}
	if want := []string{"kuai is shutting down"}; !slices.Equal(r.said, want) {
		t.Errorf("said %q, want %q", r.said, want)
	}
}
