package microphone

import (
	"context"
	"sync"

	"github.com/kuai-robot/kuai/robot"
)

// Push is a Source that somebody else writes into: what comes over a network
// connection that is not ours to open. Its Write may be called from any
// goroutine; it returns once the samples have been heard.
type Push struct {
	mu   sync.Mutex
	hear func(at robot.Time, rate int, samples []float32)
}

// Write hands samples on; without a listener they are dropped, which gives false.
func (p *Push) Write(at robot.Time, rate int, samples []float32) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hear == nil {
		return false
	}
	p.hear(at, rate, samples)
	return true
}

// Play implements Source.
func (p *Push) Play(ctx context.Context, hear func(at robot.Time, rate int, samples []float32)) error {
	p.mu.Lock()
	p.hear = hear
	p.mu.Unlock()
	<-ctx.Done()
	p.mu.Lock()
	p.hear = nil
	p.mu.Unlock()
	return ctx.Err()
}

func (p *Push) waits() bool { return true }
