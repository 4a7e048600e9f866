package cpu_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/kernelbench"
)

// processTime is the processor time that this process has used.
func processTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkDecoder is a decoder of the size of SmolLM2-135M: one token after a
// prompt, few tokens at once as a tree has them, and prompts.
func BenchmarkDecoder(b *testing.B) {
	g := kernelbench.Small.Build()
	for _, threads := range []int{1, 2} {
		program, err := kernels.Compile(g.Graph, cpu.New(cpu.Options{Threads: threads}), kernels.Options{})
		if err != nil {
			b.Fatal(err)
		}
		defer program.Close()
		session, err := program.NewSession()
		if err != nil {
			b.Fatal(err)
		}
		defer session.Close()
		for _, size := range []struct{ rows, past int }{{1, 32}, {1, 512}, {4, 128}, {8, 128}, {32, 128}, {512, 0}} {
			b.Run(fmt.Sprintf("threads=%d/rows=%d/past=%d", threads, size.rows, size.past), func(b *testing.B) {
				session.Set(g.Rows, size.rows)
				session.Set(g.Past, size.past)
				for i := range session.I32(g.Positions) {
					session.I32(g.Positions)[i] = int32(size.past + i)
					session.I32(g.IDs)[i] = int32(i * 91)
				}
				start := processTime()
				for b.Loop() {
					if err := session.Run(context.Background()); err != nil {
						b.Fatal(err)
					}
				}
				tokens := float64(size.rows * b.N)
				b.ReportMetric(tokens/b.Elapsed().Seconds(), "tokens/s")
				// What a machine with nothing else to do would reach, about.
				b.ReportMetric(tokens/(processTime()-start).Seconds(), "tokens/cpu-s")
			})
		}
	}
}

// BenchmarkKernels prints the rates of single operators by processor time, on
// one thread.
func BenchmarkKernels(b *testing.B) {
	rows, err := kernelbench.Measure(cpu.New(cpu.Options{Threads: 1}), "cpu", 1, processTime)
	if err != nil {
		b.Fatal(err)
	}
	for _, r := range rows {
		b.Logf("%-40s %8.1f %s, peak %.1f", r.Name, r.Value, r.Unit, r.Peak)
	}
}
