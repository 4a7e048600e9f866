package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/daemon"
)

// voiceSuite is the suite of "kuai eval" whose instructions are spoken.
const voiceSuite = "voice"

// runVoice speaks commands into a simulated room and prints how many begin the
// right skill.
func (a *app) runVoice(ctx context.Context, o *evalFlags) (err error) {
	c, err := config.Load(a.configPath)
	if err != nil {
		return &exitError{exitInput, err}
	}
	if err := o.backend.set(&c); err != nil {
		return &exitError{exitInput, err}
	}
	trial := daemon.StandardVoiceTrial()
	trial.Tell = a.tellOnce()
	if o.episodes > 0 {
		trial.Commands = o.episodes
	}
	if o.seed != 1 {
		trial.Seed = o.seed
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
		trial.Heard = func(r daemon.VoiceResult) {
			if r.Chosen != r.Wanted {
				fmt.Fprintf(log, "%s said %q, heard %q (%.2f, %s): began %q, wanted %q\n", r.Voice, r.Spoken, r.Heard, r.Confidence, r.Kind, r.Chosen, r.Wanted)
			}
		}
	}
	rows, err := daemon.EvalVoice(bench.WithProgress(ctx, a.errors.move), &c, trial)
	a.errors.clearLine()
	if err != nil {
		return err
	}
	return bench.NewPrinter(a.out, a.json).Print(rows)
}
