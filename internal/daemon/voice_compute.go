package daemon

import (
	"github.com/kuai-robot/kuai/fusion/listen"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
)

// newEars makes what hears, for the speech model in dir. The recogniser computes where c
// says; the voice detector on the processor, since it must answer whatever a GPU does.
// tell is given the reason where a GPU is not used.
func newEars(dir string, c *config.Voice, tell func(error)) (*listen.Ears, error) {
	processor := cpu.New(cpu.Options{Threads: c.Threads})
	backend, onGPU := kernels.Backend(processor), c.Backend == config.BackendCUDA
	if onGPU {
		backend = OnGPU(processor, tell)
	}
	return listen.Open(dir, backend, listen.Options{Sound: onGPU, Voice: processor})
}
