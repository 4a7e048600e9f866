package replay

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/internal/record"
	"github.com/kuai-robot/kuai/robot"
)

// Watcher records a control loop; it implements control.Watcher. A loop that
// writes ticks faster than Run takes them costs ticks, which are counted.
type Watcher struct {
	out    *record.Recorder
	clock  robot.Clock
	joints int
	ticks  ring
	state  robot.Time // of the newest that was recorded
}

// ringTicks is how many ticks wait for Run: a second at 1 kHz.
const ringTicks = 1024

// NewWatcher gives a watcher of a robot with so many joints.
func NewWatcher(out *record.Recorder, clock robot.Clock, joints int) *Watcher {
	return &Watcher{out: out, clock: clock, joints: joints, ticks: ring{slots: make([]control.Tick, ringTicks)}}
}

// Ordered implements control.Watcher.
func (w *Watcher) Ordered(o *control.Order) {
	order := *o
	w.out.JSON(TopicChunk, o.Issued, func() ([]byte, error) { return json.Marshal(ChunkOf(&order, w.joints)) })
}

// Ticked implements control.Watcher.
func (w *Watcher) Ticked(t *control.Tick) { w.ticks.put(t) }

const (
	// drainEvery is how long a tick waits at most until it is recorded.
	drainEvery = 50 * time.Millisecond
	// countEvery is how often the recorder's counts are recorded.
	countEvery = time.Second
)

// Run hands the ticks to the recorder until ctx ends, and then those that are
// left.
func (w *Watcher) Run(ctx context.Context) error {
	due := w.clock.Now()
	for {
		now := w.clock.Now()
		w.drain()
		if now >= due {
			w.count(now)
			due = now.Add(countEvery)
		}
		if err := w.clock.Wait(ctx, now.Add(drainEvery)); err != nil {
			w.drain()
			w.count(w.clock.Now())
			return err
		}
	}
}

func (w *Watcher) drain() {
	var t control.Tick
	for w.ticks.take(&t) {
		if t.State.At > w.state {
			w.out.State(t.State)
			w.state = t.State.At
		}
		data, err := json.Marshal(CommandOf(&t, w.joints))
		if err != nil {
			w.ticks.dropped.Add(1)
			continue
		}
		w.out.Message(TopicCommand, t.Command.At, data)
	}
}

// Counts are what the recorder could and could not keep.
type Counts struct {
	Written uint64 `json:"written"`
	// Dropped counts samples that found the queue full or the disk failing;
	// DroppedTicks those of the control loop that nobody took in time.
	Dropped      uint64 `json:"dropped"`
	DroppedTicks uint64 `json:"dropped_ticks"`
}

// Counts gives them.
func (w *Watcher) Counts() Counts {
	return Counts{Written: w.out.Written(), Dropped: w.out.Dropped(), DroppedTicks: w.ticks.dropped.Load()}
}

func (w *Watcher) count(now robot.Time) {
	c := w.Counts()
	w.out.JSON(TopicRecorder, now, func() ([]byte, error) { return json.Marshal(c) })
}

// ring holds ticks between the one goroutine that puts and the one that takes.
type ring struct {
	slots       []control.Tick
	first, next atomic.Uint64 // of those that are taken, of those that are put
	dropped     atomic.Uint64
}

func (r *ring) put(t *control.Tick) {
	n := r.next.Load()
	if n-r.first.Load() == uint64(len(r.slots)) {
		r.dropped.Add(1)
		return
	}
	r.slots[n%uint64(len(r.slots))] = *t
	r.next.Store(n + 1)
}

func (r *ring) take(t *control.Tick) bool {
	n := r.first.Load()
	if n == r.next.Load() {
		return false
	}
	*t = r.slots[n%uint64(len(r.slots))]
	r.first.Store(n + 1)
	return true
}
