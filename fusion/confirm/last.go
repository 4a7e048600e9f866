package confirm

import (
	"context"
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/perception/audio"
)

// Longest is how many samples are heard for a last question: a word, and what somebody
// said before it.
const Longest = 2 * audio.Rate

// written are the stop words as Whisper writes them, and what it makes of them when
// they are said badly.
var written = []string{
	" stop", " Stop", "Stop", " halt", " Halt", " freeze", " Freeze", " STOP", "-stop", " stopped", " stop!",
	"停下", "停止", "别动", "别動", "停下来", "停", "別動",
}

// surely is from how many nats on the first answer is a stop, whatever more is heard.
const surely = 5.0

// Where Whisper writes other words with this confidence, so many tokens of them, in
// whatever language, and a stop word is nowhere more probable than noWord, it heard a
// sentence that holds none. Of stop words in noise one in a hundred is taken for such a
// sentence (docs/models-voice.md).
const (
	surelyWritten = 0.55
	manyTokens    = 5
	noWord        = -5.0
)

// Judge answers a question: the first one with the head, and where that finds a stop more
// probable than not, without being sure, the last one with what Whisper writes.
func (c *Confirmer) Judge(ctx context.Context, q *Question) (v Verdict, nats float64, err error) {
	if q.Last {
		s, err := c.model.Spot(ctx, q.Samples[:], "", c.phrases)
		if err != nil {
			return Nothing, q.First, fmt.Errorf("confirm: %w", err)
		}
		if s.Confidence >= surelyWritten && len(s.Tokens) >= manyTokens && s.LogP <= noWord {
			return Nothing, q.First, nil
		}
		return Stop, q.First, nil
	}
	if nats, err = c.Nats(ctx, q.Samples[Longest-Heard:], q.Score); err != nil {
		return Nothing, 0, err
	}
	switch {
	case nats >= surely:
		v = Stop
	case nats >= least:
		v = Hold
	}
	return v, nats, nil
}

func logit(p float32) float64 {
	x := math.Max(1e-4, math.Min(float64(p), 1-1e-4))
	return math.Log(x / (1 - x))
}
