package main

import (
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/kernels/cuda/gpu"
)

// TestBackendWithoutAGPU: what is asked of a GPU that is not there the processor does,
// and one line says so.
func TestBackendWithoutAGPU(t *testing.T) {
	facts, err := gpu.Look()
	if err == nil && facts.Usable() == nil {
		t.Skip("this machine has a GPU")
	}
	picture := aPicture(t)
	plain := kuai(t.Context(), nil, "", "encode", "--model", tinyCLIP, picture, "a red block", "a bowl")
	got := kuai(t.Context(), nil, "", "encode", "--model", tinyCLIP, "--backend", "cuda", picture, "a red block", "a bowl")
	if got.status != 0 || !strings.HasPrefix(got.errors, "kuai: cuda: no GPU: ") || !strings.HasSuffix(got.errors, ": the backend cpu computes\n") {
		t.Errorf("%+v", got)
	}
	matches := func(out string) string { return out[strings.Index(out, "\n"):] } // without the milliseconds
	if matches(plain.out) != matches(got.out) {
		t.Errorf("without --backend %s, with it %s", plain.out, got.out)
	}
	for _, args := range [][]string{{"bench", "cuda"}} {
		if got := kuai(t.Context(), nil, "", args...); got.status != exitFailed || strings.Count(got.errors, "\n") != 1 || !strings.Contains(got.errors, "no GPU") {
			t.Errorf("%v: %+v", args, got)
		}
	}
}
