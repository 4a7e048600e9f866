package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/perception/keyword"
	"github.com/kuai-robot/kuai/perception/keyword/trial"
)

// EvalStopword measures the built-in stop word detector.
func EvalStopword(ctx context.Context, o trial.Options) (rows []bench.Row, err error) {
	model, err := keyword.Builtin(cpu.New(cpu.Options{Threads: 1}))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	r, err := trial.Run(ctx, model, o)
	if err != nil {
		return nil, err
	}
	return stopwordRows(r), nil
}

func stopwordRows(r *trial.Report) []bench.Row {
	const at = "eval.stopword."
	rows := []bench.Row{}
	said := 0
	for _, snr := range trial.SNRs {
		t := r.BySNR[snr]
		said += t.Said
		rows = append(rows, bench.Row{Name: fmt.Sprintf("%smissed_%gdb", at, snr), Value: t.Rate(), Bar: "<0.01"})
	}
	rows = append(rows, bench.Row{Name: at + "utterances", Value: float64(said), Bar: ">=200"})
	for _, w := range keyword.Stop().Words {
		rows = append(rows, bench.Row{Name: at + "missed." + w, Value: r.ByWord[w].Rate()})
	}
	if r.OtherEngine.Said > 0 {
		rows = append(rows, bench.Row{Name: at + "missed_flite", Value: r.OtherEngine.Rate()})
	}
	rows = append(rows,
		bench.Row{Name: at + "late_p50", Value: bench.Percentile(r.Late, 0.5), Unit: "ms"},
		bench.Row{Name: at + "late_p99", Value: bench.Percentile(r.Late, 0.99), Unit: "ms", Bar: "<300"},
		bench.Row{Name: at + "near_words_heard", Value: r.Near.Rate()})
	var all, people trial.Stretch
	for kind, s := range r.Quiet {
		sum := &all
		if kind == trial.People {
			sum = &people
		}
		sum.Hours, sum.Stops = sum.Hours+s.Hours, sum.Stops+s.Stops
	}
	rows = append(rows,
		bench.Row{Name: at + "hours", Value: all.Hours, Bar: ">=3"},
		bench.Row{Name: at + "false_per_hour", Value: all.PerHour(), Bar: "<1"})
	for _, kind := range []string{"en", "zh"} {
		rows = append(rows, bench.Row{Name: at + "false_per_hour." + kind, Value: r.Quiet[kind].PerHour()})
	}
	if people.Hours > 0 {
		rows = append(rows,
			bench.Row{Name: at + "people_hours", Value: people.Hours},
			bench.Row{Name: at + "people_false_per_hour", Value: people.PerHour()})
	}
	return append(rows, bench.Row{Name: at + "load", Value: r.Load, Bar: "<0.15"})
}
