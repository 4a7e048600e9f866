package main

import (
	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/internal/daemon"
)

// biasSuite is the suite of "kuai eval" that compares who asks.
const biasSuite = "bias"

// runBias prints how refusals and tasks differ by name, dialect and language.
func (a *app) runBias() error {
	rows, err := daemon.EvalBias(func(difference string) {
		if !a.json {
			a.errors.line("%s", difference)
		}
	})
	if err != nil {
		return err
	}
	return bench.NewPrinter(a.out, a.json).Print(rows)
}
