package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/internal/daemon"
	"github.com/kuai-robot/kuai/perception/keyword/trial"
	"github.com/kuai-robot/kuai/robot"
)

// stopwordSuite is the suite of "kuai eval" that is about sound.
const stopwordSuite = "stopword"

// How many utterances at each level of noise and hours without a stop word.
const (
	stopwordUtterances = 336
	stopwordPerEach    = 16 * 7 // voices and words
	stopwordHours      = 3.2
)

// runStopword measures the stop word detector and prints its figures.
func (a *app) runStopword(ctx context.Context, o *evalFlags) (err error) {
	said := o.episodes
	if said == 0 {
		said = stopwordUtterances
	}
	options := trial.Options{
		Seed: o.seed, Each: int(math.Ceil(float64(said) / stopwordPerEach)), Hours: stopwordHours * min(1, float64(said)/stopwordUtterances),
		Clock: robot.NewSystemClock(), Tell: a.errors.move,
	}
	if o.out != "" {
		if err := os.MkdirAll(o.out, 0o755); err != nil {
			return fmt.Errorf("eval: %w", err)
		}
		log, err := os.Create(filepath.Join(o.out, "mistakes.txt"))
		if err != nil {
			return fmt.Errorf("eval: %w", err)
		}
		defer log.Close()
		options.Log = log
	}
	rows, err := daemon.EvalStopword(ctx, options)
	a.errors.clearLine()
	if err != nil {
		return err
	}
	return bench.NewPrinter(a.out, a.json).Print(rows)
}
