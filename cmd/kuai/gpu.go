package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/internal/daemon"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cuda/gpu"
)

// benchStatic tells what is known of the CUDA kernels without a GPU.
func (a *app) benchStatic(ctx context.Context, groups []string) error {
	if !slices.Equal(groups, []string{"cuda"}) {
		return exitf(exitInput, "--static is for kuai bench cuda")
	}
	a.errors.move("planning models for each card")
	figures, err := daemon.CUDAStatic(ctx)
	a.errors.clearLine()
	if err != nil {
		return fmt.Errorf("bench cuda: %w", err)
	}
	if a.json {
		return bench.NewPrinter(a.out, true).Print(figures.Rows())
	}
	return figures.Print(a.out)
}

// needGPU refuses to measure a GPU that is not there; among all groups that of the
// GPU is then empty.
func needGPU(groups []string) error {
	if !slices.Contains(groups, "cuda") {
		return nil
	}
	facts, err := gpu.Look()
	if err == nil {
		err = facts.Usable()
	}
	if err != nil {
		return fmt.Errorf("bench cuda: %w (kuai bench cuda --static predicts without a GPU)", err)
	}
	return nil
}

// lookGPU says which GPU there is. None is nothing bad: the processor computes.
func lookGPU() []finding {
	facts, err := gpu.Look()
	if err == nil {
		err = facts.Usable()
	}
	switch {
	case !gpu.Built:
		return []finding{{"gpu", good, "not used: this kuai was built without CUDA (make build-cuda)", ""}}
	case errors.Is(err, gpu.ErrNone):
		return []finding{{"gpu", warning, err.Error(), "nothing has to be done: the processor computes"}}
	case err != nil:
		return []finding{{"gpu", warning, err.Error(), "run: nvidia-smi"}}
	}
	var out []finding
	for _, c := range facts.Cards {
		out = append(out, finding{"gpu", good, fmt.Sprintf("%s, sm_%d, %d multiprocessors, %d MB, driver for CUDA %d.%d",
			c.Name, c.Capability, c.SMs, c.Memory>>20, facts.Version/1000, facts.Version%1000/10), ""})
	}
	return out
}

// onGPU is the machine's GPU, with processor where it cannot and a line about that.
func (a *app) onGPU(processor kernels.Backend) kernels.Backend {
	return daemon.OnGPU(processor, func(err error) { a.errors.line("kuai: %v", err) })
}
