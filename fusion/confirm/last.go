package confirm

import (
	"context"
	"fmt"
	"github.com/kuai-robot/kuai/perception/audio"
	"math"
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

// Answers of the first question, in nats: from surely on it is a stop, below never it is
// none, whatever more is heard.
const (
	surely = 5.0
	never  = -4.0
)

// The last answer weighs, in nats, the detector's score and what the head heard both
// times. The weights were fitted by logistic regression on doubts about voices that neither
// the detector nor any measurement has heard (docs/models-voice.md).
const (
	ofScore, ofFirst, ofHead, always = 0.33, 0.56, 0.48, 0.30
)

// What Whisper writes, in whatever language, overrules the head both ways. Where a stop
// word is as probable as aWord, it is one. Where it writes other words with this
// confidence, so many of them, and a stop word is nowhere more probable than noWord, it
// heard a sentence that holds none.
const (
	aWord         = -1.0
	surelyWritten = 0.4
	manyTokens    = 6
	noWord        = -7.0
)

// Judge answers a question.
func (c *Confirmer) Judge(ctx context.Context, q *Question) (v Verdict, nats float64, err error) {
	head, err := c.Nats(ctx, q.Samples[Longest-Heard:], 0.5)
	if err != nil {
		return Nothing, 0, err
	}
	if !q.Last {
		nats = head + trust*logit(q.Score)
		switch {
		case nats >= surely:
			v = Stop
		case nats >= never:
			v = Hold
		}
		return v, nats, nil
	}
	nats = ofScore*logit(q.Score) + ofFirst*(q.First-trust*logit(q.Score)) + ofHead*head + always
	s, err := c.model.Spot(ctx, q.Samples[:], "", c.phrases)
	if err != nil {
		return Nothing, nats, fmt.Errorf("confirm: %w", err)
	}
	other := s.Confidence >= surelyWritten && len(s.Tokens) >= manyTokens && s.LogP <= noWord
	if s.LogP >= aWord || nats >= least && !other {
		v = Stop
	}
	return v, nats, nil
}

func logit(p float32) float64 {
	x := math.Max(1e-4, math.Min(float64(p), 1-1e-4))
	return math.Log(x / (1 - x))
}
