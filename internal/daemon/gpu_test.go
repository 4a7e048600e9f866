package daemon

import (
	"errors"
	"fmt"
	"testing"

	"github.com/kuai-robot/kuai/kernels/cuda"
	"github.com/kuai-robot/kuai/kernels/cuda/gpu"
	"github.com/kuai-robot/kuai/kernels/cuda/roofline"
	"github.com/kuai-robot/kuai/kernels/ref"
)

// TestOnGPU: without a GPU the processor computes and the reason is told.
func TestOnGPU(t *testing.T) {
	none := fmt.Errorf("cuda: %w: no driver", gpu.ErrNone)
	n := &notices{}
	b := onGPU(func(gpu.Options) (cuda.Driver, error) { return nil, none }, ref.New(), n.add)
	if b.Name() != "ref" {
		t.Errorf("%s computes", b.Name())
	}
	var heard []error
	n.listen(func(err error) { heard = append(heard, err) })
	n.add(cuda.ErrLost)
	if len(heard) != 2 || !errors.Is(heard[0], gpu.ErrNone) || heard[1] != cuda.ErrLost {
		t.Errorf("heard %v", heard)
	}
	b = onGPU(func(gpu.Options) (cuda.Driver, error) { return roofline.NewPaper(roofline.Cards[0]), nil }, ref.New(), n.add)
	if b.Name() != "cuda" {
		t.Errorf("with a GPU %s computes", b.Name())
	}
}

// TestNoticesAreBounded: nobody listening costs no memory.
func TestNoticesAreBounded(t *testing.T) {
	n := &notices{}
	for range 100 {
		n.add(cuda.ErrMemory)
	}
	heard := 0
	n.listen(func(error) { heard++ })
	if heard != mostNotices {
		t.Errorf("%d were kept", heard)
	}
}
