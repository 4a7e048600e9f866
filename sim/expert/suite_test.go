package expert_test

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/eval"
	"github.com/kuai-robot/kuai/sim/world"
)

var suiteEpisodes = flag.Int("suite", 20, "episodes of the built-in suite that TestSuite runs with the plans given")

// Begin implements eval.Robot.
func (b *table) Begin(_ context.Context, seed uint64, spec world.Spec) (*robot.Scene, error) {
	if err := b.world.Reset(seed, spec); err != nil {
		return nil, err
	}
	b.renew()
	b.wait(50 * time.Millisecond)
	return b.world.Scene(), nil
}

// Say implements eval.Robot: nobody here understands words.
func (b *table) Say(context.Context, string) (eval.Answer, error) {
	return eval.Answer{Cause: "guard", Scene: b.world.Scene()}, nil
}

// Do implements eval.Robot.
func (b *table) Do(_ context.Context, s robot.Skill) (eval.Answer, error) {
	began := b.clock.Now()
	outcome := b.do(s.Name, s.Args...)
	b.wait(300 * time.Millisecond)
	return eval.Answer{
		Succeeded: outcome.Status == robot.Succeeded, Reason: outcome.Reason,
		Seconds: b.clock.Now().Sub(began).Seconds(), Scene: b.world.Scene(),
	}, nil
}

// TestSuite runs the first plans of the built-in suite: what the body reaches
// when the right skills are given, judged by the suite's goals, which also say
// what must stay untouched.
func TestSuite(t *testing.T) {
	b := newTable(t)
	options := eval.Options{Episodes: *suiteEpisodes, Seed: *seed, Given: true, Done: func(o *eval.Outcome) error {
		if o.Reached {
			return nil
		}
		var reasons []string
		for _, a := range o.Answers {
			reasons = append(reasons, a.Reason)
		}
		t.Logf("episode %d, seed %d, %v: %v missed %v: %s", o.Number, o.Seed, o.Episode.Instruction, o.Episode.Plans[0],
			o.Missed, strings.Join(reasons, " "))
		b.picture(fmt.Sprintf("suite-%d", o.Seed))
		return nil
	}}
	report, err := eval.Run(context.Background(), eval.Tabletop(), b, options)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(report.Families, &report.All) {
		if f.Success.Of > 0 {
			low, high := f.Success.Wilson()
			t.Logf("%-12s %3d of %3d (%.3f to %.3f), %.1f s", f.Family, f.Success.Hits, f.Success.Of, low, high, f.MeanSeconds())
		}
	}
	if all := report.All.Success; all.Of-all.Hits > max(1, all.Of*3/100) {
		t.Errorf("%d of %d episodes reached their goals, want 97 %%", all.Hits, all.Of)
	}
}
