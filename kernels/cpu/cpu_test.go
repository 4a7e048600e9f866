package cpu_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/kerneltest"
)

// levels are those that this processor has, each once.
func levels() []cpu.Level {
	out := []cpu.Level{cpu.Best}
	seen := map[cpu.Level]bool{cpu.New(cpu.Options{Threads: 1}).(*cpu.Backend).Level(): true}
	for level := cpu.I8MM; level >= cpu.Base; level-- {
		has := cpu.New(cpu.Options{Threads: 1, Level: level}).(*cpu.Backend).Level()
		if !seen[has] {
			out = append(out, has)
		}
		seen[has] = true
	}
	return out
}

func TestCPU(t *testing.T) {
	for _, level := range levels() {
		for _, threads := range []int{1, 2, 3} {
			if threads != 2 && (level != cpu.Best || testing.Short()) {
				continue
			}
			t.Run(fmt.Sprintf("%v/%d", level, threads), func(t *testing.T) {
				kerneltest.Run(t, cpu.New(cpu.Options{Threads: threads, Level: level}))
			})
		}
	}
}

// TestHeld follows the memory of a program from compiling to closing.
func TestHeld(t *testing.T) {
	const rows, outputs, inputs = 3, 64, 96
	b := cpu.New(cpu.Options{Threads: 1}).(*cpu.Backend)
	g := kernels.NewGraph("held")
	w := kernels.NewWeight("w", make([]float32, outputs*inputs), outputs, inputs)
	g.Output("y", g.Add(kernels.MatMul{X: g.Input("x", kernels.F32, kernels.N(rows), kernels.N(inputs)), W: w}))
	program, err := kernels.Compile(g, b, kernels.Options{})
	if err != nil {
		t.Fatal(err)
	}
	session, err := program.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	weights, sessions := b.Held()
	if weights < 4*outputs*inputs || weights > 8*outputs*inputs {
		t.Errorf("%d bytes of weights, the matrix has %d", weights, 4*outputs*inputs)
	}
	if least := int64(4 * rows * (inputs + outputs)); sessions < least {
		t.Errorf("%d bytes of a session, its input and output have %d", sessions, least)
	}
	if err := errors.Join(session.Close(), program.Close()); err != nil {
		t.Fatal(err)
	}
	if weights, sessions := b.Held(); weights != 0 || sessions != 0 {
		t.Errorf("%d and %d bytes are held after closing", weights, sessions)
	}
}
