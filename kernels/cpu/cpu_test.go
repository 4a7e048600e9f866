package cpu_test

import (
	"fmt"
	"testing"

	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/kerneltest"
)

func TestCPU(t *testing.T) {
	for _, level := range []cpu.Level{cpu.Best, cpu.AVX512, cpu.AVX2, cpu.Base} {
		for _, threads := range []int{1, 2, 3} {
			if threads != 2 && level != cpu.Best {
				continue
			}
			t.Run(fmt.Sprintf("%v/%d", level, threads), func(t *testing.T) {
				kerneltest.Run(t, cpu.New(cpu.Options{Threads: threads, Level: level}))
			})
		}
	}
}
