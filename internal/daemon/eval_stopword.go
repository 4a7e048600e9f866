package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/kuai-robot/kuai/fusion/confirm"
	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/perception/keyword"
	"github.com/kuai-robot/kuai/perception/keyword/trial"
)

// EvalStopword measures the built-in stop word detector, with a second opinion
// where a speech model is installed.
func EvalStopword(ctx context.Context, o trial.Options) (rows []bench.Row, err error) {
	model, err := keyword.Builtin(cpu.New(cpu.Options{Threads: 1}))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	second, err := openSecond(config.Default().Voice.Model)
	if err != nil {
		return nil, err
	}
	if second != nil {
		defer func() { err = errors.Join(err, second.close()) }()
		o.Confirm, o.Before = second.confirmer.Stop, confirm.Heard
		o.Group, o.Sure = doubtful(keyword.Stop()), sureAlone
		o.Alone, o.Patience = keyword.StopThreshold, patience
	}
	r, err := trial.Run(ctx, model, o)
	if err != nil {
		return nil, err
	}
	return stopwordRows(r), nil
}

// second is a speech model that is there for the second opinion alone.
type second struct {
	recogniser *speech.Recogniser
	session    *speech.Session
	confirmer  *confirm.Confirmer
}

// openSecond gives nil where the model is not installed or is one that the head
// was not made for.
func openSecond(name string) (s *second, err error) {
	dir, err := findSpeech(name)
	if err != nil {
		return nil, nil
	}
	s = &second{}
	if s.recogniser, err = speech.Open(dir, cpu.New(cpu.Options{}), speech.Options{}); err != nil {
		return nil, err
	}
	if !confirm.Supported(s.recogniser.Config().Width) {
		return nil, s.recogniser.Close()
	}
	if s.session, err = s.recogniser.NewSession(); err != nil {
		return nil, errors.Join(err, s.recogniser.Close())
	}
	if s.confirmer, err = confirm.New(s.session); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *second) close() error { return errors.Join(s.session.Close(), s.recogniser.Close()) }

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
	rows = append(rows, bench.Row{Name: at + "missed_by_time", Value: float64(r.TooLate) / float64(max(1, said))})
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
	if r.Asked > 0 {
		rows = append(rows,
			bench.Row{Name: at + "asked_per_hour", Value: float64(r.AskedQuiet) / max(all.Hours+people.Hours, 1e-9)},
			bench.Row{Name: at + "refused", Value: float64(r.Refused) / float64(r.Asked)},
			bench.Row{Name: at + "second_opinion_p50", Value: bench.Percentile(r.Thinking, 0.5), Unit: "ms"})
	}
	return append(rows, bench.Row{Name: at + "load", Value: r.Load, Bar: "<0.15"})
}
