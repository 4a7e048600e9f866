package daemon

import (
	"encoding/json"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
)

// tally counts what the loop and the topics did, for /metrics. Counting never
// waits and, on the control loop's goroutine, never allocates.
type tally struct {
	// modes, verdicts and limits count ticks: those spent in a mode, those that
	// changed the verdict to a code, those of which a limit changed the command.
	modes    [len(modeNames)]atomic.Uint64
	verdicts [len(codeNames)]atomic.Uint64
	limits   [len(limitNames)]atomic.Uint64
	last     safety.Verdict // belongs to the loop

	mu     sync.Mutex
	models map[string]*took
	said   map[[2]string]uint64 // messages by topic and, of events, kind
}

func newTally() *tally {
	return &tally{models: map[string]*took{}, said: map[[2]string]uint64{}}
}

// took is how long something took, each time.
type took struct {
	all   control.Histogram
	total atomic.Int64 // ns
}

func (t *took) add(d time.Duration) {
	t.all.Add(d)
	t.total.Add(int64(d))
}

// modeNames, codeNames and limitNames are the values of labels, in the order of
// the safety core's constants.
var (
	modeNames = [...]string{"off", "held", "moving", "stopped", "fault"}
	codeNames = [...]string{"ok", "no_source", "source_silent", "source_expired", "source_outdated", "source_before_reset", "source_ahead",
		"engaging", "backing_off", "late", "release_asked", "stop_asked", "after_restart", "no_state", "state_stale", "state_ahead",
		"state_invalid", "clock_back", "outside_limits", "too_hot", "overheated", "stalled", "target_invalid", "contact"}
	limitNames = [...]string{"position", "velocity", "acceleration", "derated", "collision", "workspace"}
)

// Ticked counts one tick; it runs on the control loop's goroutine.
func (t *tally) ticked(v *safety.Verdict) {
	if int(v.Mode) < len(t.modes) {
		t.modes[v.Mode].Add(1)
	}
	if (v.Code != t.last.Code || v.Mode != t.last.Mode) && int(v.Code) < len(t.verdicts) {
		t.verdicts[v.Code].Add(1)
	}
	for i := range t.limits {
		if v.Limited&(1<<i) != 0 {
			t.limits[i].Add(1)
		}
	}
	t.last = *v
}

// model notes that the model called name worked for so long once.
func (t *tally) model(name string, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.models[name] == nil {
		t.models[name] = &took{}
	}
	t.models[name].add(d)
}

// message counts what the robot says.
func (t *tally) message(topic *topics.Topic, payload []byte) {
	key := [2]string{topic.Name, ""}
	if topic.Name == topics.NameEvent {
		var e struct{ Kind string }
		if json.Unmarshal(payload, &e) == nil {
			key[1] = e.Kind
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.said[key]++
}

// tallied is a watcher of the control loop that counts and hands on.
type tallied struct {
	tally *tally
	next  control.Watcher // nil when nothing is recorded
	// broke is told when next panics, which is told nothing more then: the loop
	// that it watches goes on.
	broke func(*robot.Panic)
	lost  atomic.Bool
}

// Ordered implements control.Watcher.
func (w *tallied) Ordered(o *control.Order) {
	if w.next != nil && !w.lost.Load() {
		defer w.caught()
		w.next.Ordered(o)
	}
}

// Ticked implements control.Watcher.
func (w *tallied) Ticked(t *control.Tick) {
	w.tally.ticked(&t.Verdict)
	if w.next != nil && !w.lost.Load() {
		defer w.caught()
		w.next.Ticked(t)
	}
}

// caught is deferred around next. It is robot.Guard without the allocation.
func (w *tallied) caught() {
	if v := recover(); v != nil && !w.lost.Swap(true) {
		go w.broke(&robot.Panic{Value: v, Stack: debug.Stack()}) // it logs, which the loop does not wait for
	}
}
