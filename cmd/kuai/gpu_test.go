package main

import (
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/kernels/cuda/gpu"
)

// TestBackendFlag: the flag chooses for everything that a robot computes with models.
func TestBackendFlag(t *testing.T) {
	for flag, want := range map[string][2]string{
		"": {config.BackendCPU, config.BackendCPU}, "cuda": {config.BackendCUDA, config.BackendCUDA}, "ref": {config.BackendRef, config.BackendCPU},
	} {
		c := config.Default()
		if err := (&backendFlag{flag}).set(&c); err != nil || c.Planner.Backend != want[0] || c.Voice.Backend != want[1] || c.Validate() != nil {
			t.Errorf("%q: planner %s, voice %s, %v; want %v", flag, c.Planner.Backend, c.Voice.Backend, err, want)
		}
	}
}

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
	for _, args := range [][]string{{"eval"}, {"eval", "--suite", "voice"}, {"run"}, {"demos", "--out", t.TempDir()}} {
		got := kuai(t.Context(), nil, "", append(args, "--backend", "gpu")...)
		if want := "kuai: --backend \"gpu\": want cpu, cuda or ref\n"; got.status != exitInput || got.errors != want {
			t.Errorf("%v: %+v, want %q", args, got, want)
		}
	}
	for _, args := range [][]string{{"bench", "cuda"}} {
		if got := kuai(t.Context(), nil, "", args...); got.status != exitFailed || strings.Count(got.errors, "\n") != 1 || !strings.Contains(got.errors, "no GPU") {
			t.Errorf("%v: %+v", args, got)
		}
	}
}
