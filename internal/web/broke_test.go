package web_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/kuai-robot/kuai/internal/web"
	"github.com/kuai-robot/kuai/robot"
)

// Code that panics for one browser ends that browser's request, is told, and
// leaves the others alone. One that a library ends by http.ErrAbortHandler is
// no bug.
func TestAPanicIsToldAndThePageGoesOn(t *testing.T) {
	told := make(chan *robot.Panic, 10)
	var abort atomic.Bool
	s := start(t, func(o *web.Options) {
		o.Metrics = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			if abort.Load() {
				panic(http.ErrAbortHandler)
			}
			panic("a bug")
		})
		o.Broke = func(p *robot.Panic) { told <- p }
	})
	for _, aborts := range []bool{false, true} {
		abort.Store(aborts)
		if answer, err := http.Get(s.URL() + "/metrics"); err == nil {
			answer.Body.Close()
			t.Errorf("the request was answered with %s", answer.Status)
		}
	}
	if p := <-told; p.Value != "a bug" || len(p.Stack) == 0 {
		t.Errorf("told of %v", p)
	}
	if len(told) > 0 {
		t.Errorf("told of %v", <-told)
	}
	if status, _, _ := request(t, "GET", s.URL()+"/healthz", nil, ""); status != http.StatusOK {
		t.Errorf("afterwards: %d", status)
	}
}
