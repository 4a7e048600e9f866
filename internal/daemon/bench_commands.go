package daemon

import (
	"context"
	"fmt"

	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/internal/config"
)

// trialCommands and trialSeed are of the measurement; tuning had others.
const (
	trialCommands = 300
	trialSeed     = 20261
)

// StandardVoiceTrial is what the figures are measured with.
func StandardVoiceTrial() VoiceTrial {
	return VoiceTrial{Commands: trialCommands, Seed: trialSeed, Voices: TrialVoices}
}

// EvalVoice speaks the commands of t into a room and gives the shares that begin
// the right skill, and another one; what is neither was not understood, or asked
// back. It tells bench.Progress of each.
func EvalVoice(ctx context.Context, c *config.Config, t VoiceTrial) ([]bench.Row, error) {
	heard, count, right, wrong, early := t.Heard, 0, 0, 0, 0
	t.Heard = func(r VoiceResult) {
		count++
		if r.Early {
			early++
		}
		switch r.Chosen {
		case r.Wanted:
			right++
		case "":
		default:
			wrong++
		}
		bench.Progress(ctx, fmt.Sprintf("%d of %d commands, %d right, %d wrong", count, t.Commands, right, wrong))
		if heard != nil {
			heard(r)
		}
	}
	_, read, err := RunVoiceTrial(ctx, c, t)
	if err != nil {
		return nil, err
	}
	all := float64(t.Commands)
	return []bench.Row{
		{Name: "voice.command_success", Value: float64(right) / all, Bar: ">=0.9"},
		{Name: "voice.command_wrong", Value: float64(wrong) / all},
		{Name: "voice.commands_early", Value: float64(early) / all},
		{Name: "voice.typed_success", Value: float64(read) / all},
		{Name: "voice.commands", Value: all, Bar: ">=300"},
	}, nil
}
