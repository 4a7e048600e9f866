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
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/keyword"
	"github.com/kuai-robot/kuai/perception/keyword/trial"
	"github.com/kuai-robot/kuai/robot"
)

// EvalStopword measures the built-in stop word detector, with a second opinion
// where a speech model is installed. Time is that of the processor, of one thread, so
// that it counts the same on a machine that others use.
func EvalStopword(ctx context.Context, o trial.Options) (rows []bench.Row, err error) {
	o.Clock = busyClock{o.Clock}
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
		o.Group = doubtful(keyword.Stop())
		o.Second = newJudged(second.confirmer, o.Clock)
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
	if s.recogniser, err = speech.Open(dir, cpu.New(cpu.Options{Threads: 1}), speech.Options{Draft: 40}); err != nil {
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

// busyClock counts the time that the process took of the processor.
type busyClock struct{ robot.Clock }

// Now implements robot.Clock.
func (busyClock) Now() robot.Time { return robot.Time(1).Add(processTime()) }

// judged is the second opinion as it is while the robot runs: an answer comes when
// as much sound has passed as it took.
type judged struct {
	confirmer *confirm.Confirmer
	clock     robot.Clock
	doubter   *confirm.Doubter
	heard     int64
	question  *confirm.Question // to be answered at due
	due       int64
	verdict   confirm.Verdict
	nats      float64
	err       error
	ctx       context.Context // of the Step that runs

	asked, refused int
	thinking       []float64
}

func newJudged(c *confirm.Confirmer, clock robot.Clock) *judged {
	j := &judged{confirmer: c, clock: clock}
	j.doubter = confirm.NewDoubter(j, keyword.StopThreshold, sureAlone)
	return j
}

// Ready implements confirm.Judge.
func (j *judged) Ready() bool { return true }

// Ask implements confirm.Judge.
func (j *judged) Ask(q *confirm.Question) bool {
	start := j.clock.Now()
	j.verdict, j.nats, j.err = j.confirmer.Judge(j.ctx, q)
	took := j.clock.Now().Sub(start)
	j.question, j.due = q, j.heard+int64(took.Seconds()*audio.Rate)
	if !q.Last {
		j.asked++
	}
	if j.verdict == confirm.Nothing {
		j.refused++
	}
	j.thinking = append(j.thinking, took.Seconds()*1e3)
	return true
}

// Step implements trial.Second.
func (j *judged) Step(ctx context.Context, samples []float32, score float32) (hold, stop bool, err error) {
	j.ctx = ctx
	j.heard += int64(len(samples))
	if j.question != nil && j.heard >= j.due {
		j.question.Answer(j.verdict, j.nats, j.err)
		j.question = nil
	}
	v := j.doubter.Step(samples, score)
	return v == confirm.Hold, v == confirm.Stop, j.err
}

// Reset implements trial.Second.
func (j *judged) Reset() { j.doubter.Reset(); j.question = nil }

// Told implements trial.Second.
func (j *judged) Told() (asked, refused int, thinking []float64) {
	return j.asked, j.refused, j.thinking
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
		bench.Row{Name: at + "stopped_p50", Value: bench.Percentile(r.Sure, 0.5), Unit: "ms"},
		bench.Row{Name: at + "stopped_p99", Value: bench.Percentile(r.Sure, 0.99), Unit: "ms"},
		bench.Row{Name: at + "near_words_heard", Value: r.Near.Rate()})
	var all, people trial.Stretch
	for kind, s := range r.Quiet {
		sum := &all
		if kind == trial.People {
			sum = &people
		}
		sum.Hours, sum.Stops, sum.Holds, sum.HeldHours = sum.Hours+s.Hours, sum.Stops+s.Stops, sum.Holds+s.Holds, sum.HeldHours+s.HeldHours
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
			bench.Row{Name: at + "held_per_hour", Value: float64(all.Holds) / max(all.Hours, 1e-9)},
			bench.Row{Name: at + "held", Value: (all.HeldHours + people.HeldHours) / max(all.Hours+people.Hours, 1e-9)},
			bench.Row{Name: at + "asked_per_hour", Value: float64(r.AskedQuiet) / max(all.Hours+people.Hours, 1e-9)},
			bench.Row{Name: at + "refused", Value: float64(r.Refused) / float64(r.Asked)},
			bench.Row{Name: at + "second_opinion_p50", Value: bench.Percentile(r.Thinking, 0.5), Unit: "ms"})
	}
	return append(rows, bench.Row{Name: at + "load", Value: r.Load, Bar: "<0.15"})
}
