package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/turns"
)

// wordErrors gives the share of wrong words in recordings of people, none where
// Debian's pocketsphinx-testdata is not installed. make bench-peers has it beside
// another program's.
func wordErrors(ctx context.Context, c *config.Config) ([]bench.Row, error) {
	dir, err := findSpeech(c.Voice.Model)
	if err != nil {
		return nil, err
	}
	t, err := turns.Open(turns.Work{Kind: "wer", Model: dir, Input: turns.RecordingsFolder, Threads: c.Voice.Threads})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	turn, err := t.Once(ctx)
	if err := errors.Join(err, t.Close()); err != nil {
		return nil, fmt.Errorf("recordings: %w", err)
	}
	e, err := turns.Score(turn.Texts)
	return []bench.Row{
		{Name: "wer.recordings", Value: e.Rate(), Bar: "<=0.08"},
		{Name: "wer.words", Value: float64(e.Words)},
	}, err
}
