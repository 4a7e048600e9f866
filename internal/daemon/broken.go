package daemon

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/kuai-robot/kuai/robot"
)

// broken is which parts of the program have panicked. The zero value is none.
type broken struct {
	mu    sync.Mutex
	parts map[string]brokenPart
	count map[string]uint64 // panics so far
}

type brokenPart struct {
	why *robot.Panic
	// down: it does not come back before the program starts again.
	down bool
}

func (b *broken) add(name string, why *robot.Panic, down bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.parts == nil {
		b.parts, b.count = map[string]brokenPart{}, map[string]uint64{}
	}
	b.parts[name] = brokenPart{why, down || b.parts[name].down}
	b.count[name]++
}

// acknowledge forgets what works again: somebody has seen it and reset the robot.
func (b *broken) acknowledge() {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.parts, func(_ string, p brokenPart) bool { return !p.down })
}

// reasons gives a line for each part, for health.
func (b *broken) reasons() (all []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, p := range b.parts {
		what := "reset to acknowledge"
		if p.down {
			what = "start kuai again to have it back"
		}
		all = append(all, fmt.Sprintf("%s broke: %v (a bug; %s)", name, p.why, what))
	}
	slices.Sort(all)
	return all
}

// counts gives how often each part has panicked.
func (b *broken) counts() map[string]uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.count)
}

// broke stops the robot because a part of the program panicked: what it left
// undone nobody knows. The control loop goes on, and holds the joints. Any
// goroutine but the loop's may call it.
func (d *Daemon) broke(name string, why *robot.Panic, down bool) {
	d.broken.add(name, why, down)
	d.Stop(fmt.Sprintf("%s broke: %v", name, why))
	d.log.Error("panic", "part", name, "value", why.Value, "stack", string(why.Stack))
}

// safely calls do, a part of the program called name, for a goroutine that
// nobody looks after.
func (d *Daemon) safely(name string, do func()) {
	err := robot.Guard(func() error {
		do()
		return nil
	})
	if p := robot.PanicIn(err); p != nil {
		d.broke(name, p, false)
	}
}

// vital runs a stage without which there is no robot. Its error ends Run; after
// a panic the loop is told to stop first.
func (d *Daemon) vital(ctx context.Context, name string, run func(context.Context) error) error {
	err := robot.Guard(func() error { return run(ctx) })
	if p := robot.PanicIn(err); p != nil {
		d.broken.add(name, p, true)
		d.loop.Stop(fmt.Sprintf("%s broke: %v", name, p))
		d.log.Error("panic", "part", name, "value", p.Value, "stack", string(p.Stack))
	} else if err == nil || ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

// beside runs a stage that the robot can be held without. When it panics the
// robot stops, the stage stays down, health says so, and all else goes on.
func (d *Daemon) beside(ctx context.Context, name string, run func(context.Context) error) error {
	err := robot.Guard(func() error { return run(ctx) })
	if p := robot.PanicIn(err); p != nil {
		d.broke(name, p, true)
		<-ctx.Done()
		return nil
	}
	if err == nil || ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}
