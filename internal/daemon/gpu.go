package daemon

import (
	"fmt"
	"sync"

	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cuda"
	"github.com/kuai-robot/kuai/kernels/cuda/gpu"
)

// notices keeps what is said before somebody listens, the first few.
type notices struct {
	mu   sync.Mutex
	kept []error
	hear func(error)
}

// mostNotices bounds what is kept.
const mostNotices = 8

func (n *notices) add(err error) {
	n.mu.Lock()
	hear := n.hear
	if hear == nil && len(n.kept) < mostNotices {
		n.kept = append(n.kept, err)
	}
	n.mu.Unlock()
	if hear != nil {
		hear(err)
	}
}

// listen gives hear what was kept and all that follows.
func (n *notices) listen(hear func(error)) {
	n.mu.Lock()
	kept := n.kept
	n.hear, n.kept = hear, nil
	n.mu.Unlock()
	for _, err := range kept {
		hear(err)
	}
}

// unheard is for who does not mind what computes.
func unheard(error) {}

// OnGPU is this machine's GPU, with processor where it cannot: where there is none that
// can be used, where its memory does not suffice, and after it was lost. tell is given
// the reasons, from whatever goroutine meets them.
func OnGPU(processor kernels.Backend, tell func(error)) kernels.Backend {
	return onGPU(gpu.Open, processor, tell)
}

// onGPU is the GPU with processor to fall back to, or processor where no GPU can be
// used; tell is given the reason.
func onGPU(open func(gpu.Options) (cuda.Driver, error), processor kernels.Backend, tell func(error)) kernels.Backend {
	driver, err := open(gpu.Options{})
	if err != nil {
		tell(fmt.Errorf("%w: the backend %s computes", err, processor.Name()))
		return processor
	}
	return cuda.NewFallback(cuda.NewBackend("cuda", driver), processor, tell)
}

// computeWarning makes an event of something that does not stop the robot.
func (d *Daemon) computeWarning(err error) {
	d.log.Warn("compute", "error", err)
	d.event(topics.Event{Kind: topics.EventWarning, Reason: err.Error()})
}
