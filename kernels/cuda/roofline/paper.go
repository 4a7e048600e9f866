package roofline

import (
	"sync"

	"github.com/kuai-robot/kuai/kernels/cuda"
)

// Paper is a driver without a device: it keeps what it is asked to run.
type Paper struct {
	device cuda.Device

	mu   sync.Mutex
	next cuda.Ptr
	runs [][]cuda.Command
}

// NewPaper plans for a card.
func NewPaper(c Card) *Paper { return &Paper{device: c.Device(), next: 256} }

// Runs gives the launches of every run since the last call.
func (p *Paper) Runs() [][]cuda.Command {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.runs
	p.runs = nil
	return out
}

// Device is the card.
func (p *Paper) Device() cuda.Device { return p.device }

// Alloc gives an address that nothing lies at.
func (p *Paper) Alloc(bytes int) (cuda.Ptr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.next
	p.next += cuda.Ptr(bytes+255) / 256 * 256
	return at, nil
}

// Free forgets nothing.
func (p *Paper) Free(cuda.Ptr) {}

// Upload copies nothing.
func (p *Paper) Upload(cuda.Ptr, []byte) error { return nil }

// Download copies nothing.
func (p *Paper) Download([]byte, cuda.Ptr) error { return nil }

// Copy copies nothing.
func (p *Paper) Copy(cuda.Ptr, cuda.Ptr, int) error { return nil }

// HostAlloc is memory of the process.
func (p *Paper) HostAlloc(bytes int) ([]byte, cuda.Ptr, error) {
	words := make([]uint64, (bytes+7)/8+1)
	return bytesOf(words)[:bytes], 0, nil
}

// HostFree leaves it to the garbage collector.
func (p *Paper) HostFree([]byte) {}

// Close has nothing to end.
func (p *Paper) Close() error { return nil }

// Record keeps the launches.
func (p *Paper) Record(commands []cuda.Command) (cuda.Recording, error) {
	r := &paperRecording{paper: p}
	for _, c := range commands {
		if c.Action == cuda.Launch {
			r.launches = append(r.launches, c)
		}
	}
	return r, nil
}

type paperRecording struct {
	paper    *Paper
	launches []cuda.Command
}

// Run notes that it ran.
func (r *paperRecording) Run() error {
	r.paper.mu.Lock()
	defer r.paper.mu.Unlock()
	r.paper.runs = append(r.paper.runs, r.launches)
	return nil
}

// Close has nothing to free.
func (r *paperRecording) Close() error { return nil }
