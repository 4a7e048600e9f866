package speech

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/kuai-robot/kuai/perception/audio"
)

// Phrases are what Spot looks for, as the model may write them. They belong to one
// recogniser and do not change.
type Phrases struct {
	texts  []string
	tokens [][]int32
}

// Phrases makes phrases of texts as the model writes them, a leading space included
// where it writes one.
func (s *Session) Phrases(texts []string) *Phrases {
	p := &Phrases{texts: texts}
	for _, text := range texts {
		p.tokens = append(p.tokens, s.recogniser.words.tokenizer.Encode(text))
	}
	return p
}

// Spotted says how probable it is that one of several phrases was said.
type Spotted struct {
	// Result is what the model writes freely, greedily.
	Result
	// Phrase is the one that fits best, LogP the logarithm of the probability that it
	// stands where it fits best, after what is written before.
	Phrase string
	LogP   float64
}

const (
	// spotTokens bounds what is written: a clip of two seconds holds no more.
	spotTokens = 16
	// spotOpen is how many phrases that are of several tokens are read to their end.
	spotOpen = 12
)

// place is where a phrase may stand in what is written.
type place struct {
	phrase, at int
	logp       float64 // of its first token, then of all
}

// Spot hears samples as Transcribe does and says how probable it is that one of
// phrases is in them, anywhere in what the model writes; without a language it listens
// for one. It needs a clip that the model hears at once, and Options.Draft, which gives it
// room.
func (s *Session) Spot(ctx context.Context, samples []float32, language string, phrases *Phrases) (Spotted, error) {
	r := Spotted{LogP: math.Inf(-1)}
	told, err := s.recogniser.words.language(language)
	if err != nil {
		return r, err
	}
	if err := check(samples); err != nil {
		return r, err
	}
	if most := 2 * s.recogniser.config.Positions * audio.Hop; len(samples) > most || len(phrases.texts) == 0 {
		return r, fmt.Errorf("speech: spot %d phrases in %d samples: want one phrase or more, and at most %d samples", len(phrases.texts), len(samples), most)
	}
	s.heard = 0 // of another clip
	heard, err := s.hear(ctx, samples)
	if err != nil {
		return r, err
	}
	s.heard = heard
	places, seen, err := s.write(ctx, told, phrases, &r.Result)
	if err != nil {
		return r, err
	}
	best, err := s.readToEnd(ctx, phrases, places, seen)
	r.Phrase, r.LogP = phrases.texts[best.phrase], best.logp
	return r, err
}

// write decodes greedily what was heard, and gives with it how probable the first
// token of each phrase is at each place, and what a phrase there descends from.
func (s *Session) write(ctx context.Context, language int32, phrases *Phrases, r *Result) (places []place, seen [][]uint8, err error) {
	v, q, size := s.recogniser.words, &s.search, s.recogniser.config.Vocabulary
	q.rows, q.done = 0, q.done[:0]
	s.decode.Set(s.recogniser.decode.heard, s.heard)
	root := hypothesis{seen: make([]uint8, s.recogniser.decode.cache)}
	logp, err := s.prompt(ctx, &root, language, nil, r)
	if err != nil {
		return nil, nil, err
	}
	q.live = append(q.live[:0], root)
	for n := 0; ; n++ {
		row := logp[:size]
		seen = append(seen, slices.Clone(q.live[0].seen))
		for i, tokens := range phrases.tokens {
			places = append(places, place{i, n, float64(row[tokens[0]])})
		}
		if n == spotTokens {
			break
		}
		if s.expand(row, n == 0); len(q.live) == 0 {
			break
		}
		q.live = q.live[:1]
		if logp, err = s.pass(ctx, n+promptLength(v)); err != nil {
			return nil, nil, err
		}
	}
	*r = s.finish(*r)
	return places, seen, nil
}

// readToEnd reads the phrases of several tokens to their end where they begin most
// probably, in one pass, and gives the most probable of all.
func (s *Session) readToEnd(ctx context.Context, phrases *Phrases, places []place, seen [][]uint8) (best place, err error) {
	slices.SortFunc(places, func(a, b place) int { return cmp.Compare(b.logp, a.logp) })
	best.logp = math.Inf(-1)
	var open []place
	rows, room := 0, min(promptSize+s.recogniser.options.Draft, s.recogniser.decode.cache-s.search.rows)
	for _, p := range places {
		more := len(phrases.tokens[p.phrase]) - 1
		switch {
		case p.logp <= best.logp:
		case more == 0:
			best = p
		case len(open) < spotOpen && rows+more <= room:
			open, rows = append(open, p), rows+more
		}
	}
	if rows == 0 {
		return best, nil
	}
	logp, err := s.readPhrases(ctx, phrases, open, seen, rows)
	if err != nil {
		return best, err
	}
	row, size := 0, s.recogniser.config.Vocabulary
	for _, p := range open {
		for _, id := range phrases.tokens[p.phrase][1:] {
			p.logp += float64(logp[row*size+int(id)])
			row++
		}
		if p.logp > best.logp {
			best = p
		}
	}
	return best, nil
}

// readPhrases runs all but the last token of each open phrase, rows in all, each where
// it stands, and gives the log-probabilities after them, [rows, vocabulary].
func (s *Session) readPhrases(ctx context.Context, phrases *Phrases, open []place, seen [][]uint8, rows int) ([]float32, error) {
	p, past := s.recogniser.decode, s.search.rows
	s.decode.Set(p.tokens, rows)
	s.decode.Set(p.past, past)
	s.decode.Set(p.selected, rows)
	mask, row := s.decode.U8(p.mask), 0
	for _, o := range open {
		tokens, see := phrases.tokens[o.phrase], slices.Clone(seen[o.at])
		for k, id := range tokens[:len(tokens)-1] {
			see[past+row] = 1
			s.decode.I32(p.ids)[row] = id
			s.decode.I32(p.places)[row] = int32(o.at + k + promptLength(s.recogniser.words))
			s.decode.I32(p.rows)[row] = int32(row)
			copy(mask[row*p.cache:(row+1)*p.cache], see)
			row++
		}
	}
	if err := s.decode.Run(ctx); err != nil {
		return nil, err
	}
	return s.decode.F32(p.logp), nil
}
