package main

import (
	"fmt"
	"sync"

	"github.com/spf13/pflag"

	"github.com/kuai-robot/kuai/fusion/listen"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/kernels"
)

// backendFlag chooses what computes the models of a robot; "" leaves it to the configuration.
type backendFlag struct{ name string }

func (b *backendFlag) add(flags *pflag.FlagSet) {
	flags.StringVar(&b.name, "backend", "", "what computes the models: cpu, cuda (a GPU; the processor where there is none), or ref (plain and slow); empty: as the configuration has it")
}

// set puts the choice into a configuration. Speech has no plain backend to be compared
// with: it keeps its own then.
func (b *backendFlag) set(c *config.Config) error {
	switch b.name {
	case "":
	case config.BackendCPU, config.BackendCUDA:
		c.Planner.Backend, c.Voice.Backend = b.name, b.name
	case config.BackendRef:
		c.Planner.Backend = b.name
	default:
		return fmt.Errorf("--backend %q: want %s, %s or %s", b.name, config.BackendCPU, config.BackendCUDA, config.BackendRef)
	}
	return nil
}

// onCard says whether a GPU was asked for; it then computes what comes before a
// network too.
func (f *computeFlags) onCard() bool { return f.backend == config.BackendCUDA }

// earOptions lets a GPU compute the spectrograms of who listens.
func (f *computeFlags) earOptions(o kernels.Options) listen.Options {
	return listen.Options{Compile: o, Sound: f.onCard()}
}

// tellOnce writes a line about each reason why a GPU is not used, however many models
// meet it.
func (a *app) tellOnce() func(error) {
	var mu sync.Mutex
	told := map[string]bool{}
	return func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if line := err.Error(); !told[line] {
			told[line] = true
			a.errors.line("kuai: %v", err)
		}
	}
}
