package generate

import (
	"container/heap"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// Sampling says how the next token is chosen and when to end.
type Sampling struct {
	// Temperature divides the logits; 0 takes the most likely token.
	Temperature float64
	// TopK leaves the most likely tokens to choose from, TopP the fewest that
	// have this much of the probability together; 0 leaves all.
	TopK int
	TopP float64
	// RepeatPenalty divides the logits above 0 of tokens that occur among the
	// last RepeatLast (0 means 64), and multiplies those below (arXiv 1909.05858,
	// section 4.1); 0 and 1 mean none.
	RepeatPenalty float64
	RepeatLast    int
	// Seed decides every draw.
	Seed uint64
	// MaxTokens bounds the answer; 0 means until the context is full.
	MaxTokens int
	// Stop ends the answer before the first of these texts.
	Stop []string
	// Grammar, if there is one, allows only its sequences, and ends the answer at
	// the end of one.
	Grammar *Trie
}

const (
	defaultRepeatLast = 64
	maxStops          = 64
)

func (o *Sampling) check() error {
	for _, f := range []struct {
		name string
		ok   bool
		is   float64
	}{
		{"temperature", o.Temperature >= 0 && !math.IsInf(o.Temperature, 1), o.Temperature},
		{"top-p", o.TopP >= 0 && o.TopP <= 1, o.TopP},
		{"top-k", o.TopK >= 0, float64(o.TopK)},
		{"repetition penalty", o.RepeatPenalty >= 0 && !math.IsInf(o.RepeatPenalty, 1), o.RepeatPenalty},
		{"repetition window", o.RepeatLast >= 0, float64(o.RepeatLast)},
		{"token limit", o.MaxTokens >= 0, float64(o.MaxTokens)},
		{"number of stop texts", len(o.Stop) <= maxStops, float64(len(o.Stop))},
	} {
		if !f.ok {
			return fmt.Errorf("sampling: %s %g", f.name, f.is)
		}
	}
	for i, stop := range o.Stop {
		if stop == "" {
			return fmt.Errorf("sampling: stop text %d is empty", i)
		}
	}
	return nil
}

// window is how many tokens a repetition penalty counts.
func (o *Sampling) window() int {
	if o.RepeatLast == 0 {
		return defaultRepeatLast
	}
	return o.RepeatLast
}

// choice is a token that may be next.
type choice struct {
	token  int32
	weight float64 // its logit, then its share
}

// choices is a heap.Interface, the largest weight first, then the lower token.
type choices []choice

func (c choices) Len() int { return len(c) }
func (c choices) Less(i, j int) bool {
	if c[i].weight != c[j].weight {
		return c[i].weight > c[j].weight
	}
	return c[i].token < c[j].token
}
func (c choices) Swap(i, j int) { c[i], c[j] = c[j], c[i] }
func (c *choices) Push(x any)   { *c = append(*c, x.(choice)) }
func (c *choices) Pop() any {
	last := len(*c) - 1
	x := (*c)[last]
	*c = (*c)[:last]
	return x
}

// sampler chooses tokens and keeps its memory between them.
type sampler struct {
	open  choices
	taken []choice
}

var errNoNumber = errors.New("the model gave a logit that is no number (are its weights damaged?)")

// next chooses among allowed tokens, or all below limit where allowed is nil.
// recent are the tokens that a repetition penalty counts.
func (s *sampler) next(o *Sampling, random *rand.Rand, logits []float32, allowed []int32, limit int, recent []int32) (int32, error) {
	s.open = s.open[:0]
	if allowed == nil && o.Temperature == 0 && (o.RepeatPenalty == 0 || o.RepeatPenalty == 1) {
		return likeliest(logits[:limit])
	}
	if allowed != nil {
		for _, token := range allowed {
			s.open = append(s.open, choice{token, float64(logits[token])})
		}
	} else {
		for token, logit := range logits[:limit] {
			s.open = append(s.open, choice{int32(token), float64(logit)})
		}
	}
	s.penalise(o, recent)
	best := s.open[0]
	for _, c := range s.open {
		if math.IsNaN(c.weight) || math.IsInf(c.weight, 1) {
			return 0, errNoNumber
		}
		if c.weight > best.weight {
			best = c
		}
	}
	if o.Temperature == 0 || math.IsInf(best.weight, -1) {
		return best.token, nil
	}
	total := 0.0
	for i := range s.open {
		c := &s.open[i]
		c.weight = math.Exp((c.weight - best.weight) / o.Temperature)
		total += c.weight
	}
	return s.draw(o, random, total), nil
}

// likeliest gives the token with the largest logit, the lowest of several.
func likeliest(logits []float32) (int32, error) {
	best := 0
	for token, logit := range logits {
		if logit > logits[best] {
			best = token
		}
		if logit != logit || logit > math.MaxFloat32 {
			return 0, errNoNumber
		}
	}
	return int32(best), nil
}

// penalise makes recent tokens less likely.
func (s *sampler) penalise(o *Sampling, recent []int32) {
	if o.RepeatPenalty == 0 || o.RepeatPenalty == 1 {
		return
	}
	recent = recent[max(0, len(recent)-o.window()):]
	seen := make(map[int32]bool, len(recent))
	for _, token := range recent {
		seen[token] = true
	}
	for i := range s.open {
		c := &s.open[i]
		if !seen[c.token] {
			continue
		}
		if c.weight > 0 {
			c.weight /= o.RepeatPenalty
		} else {
			c.weight *= o.RepeatPenalty
		}
	}
}

// draw takes a token by its share of the weights in open, which add up to
// total, among the few that TopK and TopP leave.
func (s *sampler) draw(o *Sampling, random *rand.Rand, total float64) int32 {
	from := []choice(s.open)
	if o.TopK > 0 && o.TopK < len(s.open) || o.TopP > 0 && o.TopP < 1 {
		from = s.top(o, total)
		total = 0
		for _, c := range from {
			total += c.weight
		}
	}
	at := random.Float64() * total
	for _, c := range from {
		if at -= c.weight; at < 0 {
			return c.token
		}
	}
	return from[len(from)-1].token
}

// top gives the most likely tokens, as many as TopK and TopP leave.
func (s *sampler) top(o *Sampling, total float64) []choice {
	most, share := len(s.open), total
	if o.TopK > 0 {
		most = min(most, o.TopK)
	}
	heap.Init(&s.open)
	s.taken = s.taken[:0]
	if o.TopP > 0 && o.TopP < 1 {
		share = o.TopP * total
	}
	for sum := 0.0; len(s.taken) < most && (sum < share || len(s.taken) == 0); {
		c := heap.Pop(&s.open).(choice)
		s.taken = append(s.taken, c)
		sum += c.weight
	}
	return s.taken
}
