package speech

import (
	"context"
	"math"
	"slices"
	"strings"
)

// search is the state of one search for a text; its memory is kept.
type search struct {
	rows int // used of the cache
	live []hypothesis
	next []hypothesis
	done []hypothesis
	best []candidate
}

// hypothesis is a text that may become the result.
type hypothesis struct {
	seen   []uint8 // the rows of the cache that it descends from
	tokens []Token
	sum    float64 // of the tokens' log-probabilities
	loops  bool
	places []int32 // in the Vocabulary
}

// score is the mean log-probability: longer texts are not worse.
func (h *hypothesis) score() float64 { return h.sum / float64(max(1, len(h.tokens))) }

// candidate continues a live hypothesis.
type candidate struct {
	from int
	Token
	sum float64 // with what the vocabulary adds
}

// find decodes what was heard, most tokens of it at most. draft is what the text
// may turn out to be: as far as it does, it costs one pass for all of it.
func (s *Session) find(ctx context.Context, heard int, language int32, most int, draft []int32) (Result, error) {
	v, q := s.recogniser.words, &s.search
	q.rows, q.done = 0, q.done[:0]
	s.decode.Set(s.recogniser.decode.heard, heard)
	root := hypothesis{seen: make([]uint8, s.recogniser.decode.cache)}
	var result Result
	logp, err := s.prompt(ctx, &root, language, draft, &result)
	if err != nil {
		return result, err
	}
	q.live = append(q.live[:0], root)
	n := s.follow(logp, draft)
	for {
		if len(q.live) == 0 || len(q.done) >= s.recogniser.options.Beam || n+1 >= most {
			break
		}
		if logp, err = s.pass(ctx, n+promptLength(v)); err != nil {
			return result, err
		}
		n++
		s.expand(logp, false)
	}
	return s.finish(result), nil
}

// follow goes along the draft as far as the search would have gone there, and
// one token on, whose number it gives. logp is [1 + draft, vocabulary].
func (s *Session) follow(logp []float32, draft []int32) (n int) {
	q, size := &s.search, s.recogniser.config.Vocabulary
	first := q.rows - len(draft) // the row of the first token of the draft
	for ; ; n++ {
		s.expand(logp[n*size:(n+1)*size], n == 0)
		if n == len(draft) || len(q.live) == 0 || q.live[0].tokens[n].ID != draft[n] {
			return n
		}
		q.live[0].seen[first+n] = 1
	}
}

// promptLength is how many tokens come before the text.
func promptLength(v *vocabulary) int {
	if len(v.languages) == 0 {
		return 2
	}
	return promptSize
}

// prompt reads what comes before the text, and the draft, and gives the
// log-probabilities of the first token and after each of the draft. On the way it
// hears whether somebody speaks, and in which language.
func (s *Session) prompt(ctx context.Context, root *hypothesis, language int32, draft []int32, result *Result) ([]float32, error) {
	v, size := s.recogniser.words, s.recogniser.config.Vocabulary
	tokens := []int32{v.start}
	if len(v.languages) == 0 {
		tokens = append(tokens, v.noTimes)
	} else if language != 0 {
		tokens = append(tokens, language, v.transcribe, v.noTimes)
	}
	selected := []int{0}
	for i := range len(draft) + 1 {
		selected = append(selected, len(tokens)-1+i)
	}
	before := len(tokens)
	logp, err := s.read(ctx, root, append(tokens, draft...), 0, selected...)
	if err != nil {
		return nil, err
	}
	clear(root.seen[before:]) // nobody descends from the draft yet
	result.NoSpeech = math.Exp(float64(logp[v.noSpeech]))
	if len(v.languages) > 0 && language == 0 {
		language = -1
		for _, id := range v.languages {
			if language < 0 || logp[id] > logp[language] || logp[id] == logp[language] && id < language {
				language = id
			}
		}
		if logp, err = s.read(ctx, root, []int32{language, v.transcribe, v.noTimes}, 1, 2); err != nil {
			return nil, err
		}
	}
	result.Language = v.languageOf(language)
	return logp[len(logp)-(1+len(draft))*size:], nil
}

// read runs tokens that follow each other and gives the log-probabilities after
// the selected ones, [selected, vocabulary].
func (s *Session) read(ctx context.Context, h *hypothesis, tokens []int32, place int, selected ...int) ([]float32, error) {
	p, q := s.recogniser.decode, &s.search
	s.decode.Set(p.tokens, len(tokens))
	s.decode.Set(p.past, q.rows)
	s.decode.Set(p.selected, len(selected))
	copy(s.decode.I32(p.ids), tokens)
	mask := s.decode.U8(p.mask)
	for i := range tokens {
		s.decode.I32(p.places)[i] = int32(place + i)
		h.seen[q.rows+i] = 1
		copy(mask[i*p.cache:(i+1)*p.cache], h.seen)
	}
	for i, row := range selected {
		s.decode.I32(p.rows)[i] = int32(row)
	}
	if err := s.decode.Run(ctx); err != nil {
		return nil, err
	}
	q.rows += len(tokens)
	return s.decode.F32(p.logp), nil
}

// pass reads the last token of each live hypothesis, at one place, and gives
// the log-probabilities after them, [live, vocabulary].
func (s *Session) pass(ctx context.Context, place int) ([]float32, error) {
	p, q := s.recogniser.decode, &s.search
	s.decode.Set(p.tokens, len(q.live))
	s.decode.Set(p.past, q.rows)
	s.decode.Set(p.selected, len(q.live))
	mask := s.decode.U8(p.mask)
	for i := range q.live {
		h := &q.live[i]
		s.decode.I32(p.ids)[i] = h.tokens[len(h.tokens)-1].ID
		s.decode.I32(p.places)[i] = int32(place)
		s.decode.I32(p.rows)[i] = int32(i)
		h.seen[q.rows+i] = 1
		copy(mask[i*p.cache:(i+1)*p.cache], h.seen)
	}
	if err := s.decode.Run(ctx); err != nil {
		return nil, err
	}
	q.rows += len(q.live)
	return s.decode.F32(p.logp), nil
}

// expand replaces the live hypotheses by the best that continue them; those
// that end are done.
func (s *Session) expand(logp []float32, first bool) {
	q, v, beam := &s.search, s.recogniser.words, s.recogniser.options.Beam
	q.best = q.best[:0]
	size := s.recogniser.config.Vocabulary
	for i := range q.live {
		s.candidates(i, logp[i*size:(i+1)*size], first)
	}
	q.next = q.next[:0]
	for _, c := range q.best {
		from := &q.live[c.from]
		h := hypothesis{sum: c.sum, tokens: append(slices.Clip(from.tokens), c.Token), places: s.vocabulary.after(from.places, c.ID)}
		h.loops = loops(h.tokens)
		if c.ID == v.end || h.loops {
			q.done = append(q.done, h)
		} else if len(q.next) < beam {
			h.seen = slices.Clone(from.seen)
			q.next = append(q.next, h)
		}
		if len(q.next) == beam || len(q.done) >= beam {
			break
		}
	}
	q.live, q.next = q.next, q.live
}

// candidates adds those of the best tokens after a live hypothesis that are
// among the best of all: as many as fill the beam if as many end.
func (s *Session) candidates(from int, logp []float32, first bool) {
	q, v := &s.search, s.recogniser.words
	excluded := 0.0
	for id, never := range v.suppress {
		if never {
			excluded += math.Exp(float64(logp[id]))
		}
	}
	if first {
		for _, id := range v.suppressFirst {
			if !v.suppress[id] {
				excluded += math.Exp(float64(logp[id]))
			}
		}
	}
	// What is left is made a whole again.
	correction := -math.Log(max(1-excluded, 1e-30))
	most := 2 * s.recogniser.options.Beam
	base := q.live[from].sum + correction
	s.vocabulary.expect(q.live[from].places)
	for id := int32(0); id <= v.end; id++ {
		x := float64(logp[id])
		favour := s.vocabulary.favour(id)
		if len(q.best) == most && base+x+favour <= q.best[most-1].sum || v.suppress[id] || first && slices.Contains(v.suppressFirst, id) {
			continue
		}
		c := candidate{from, Token{id, x + correction}, base + x + favour}
		at, _ := slices.BinarySearchFunc(q.best, c, func(a, b candidate) int {
			if a.sum >= b.sum {
				return -1
			}
			return 1
		})
		q.best = slices.Insert(q.best, at, c)
		q.best = q.best[:min(len(q.best), most)]
	}
	s.vocabulary.forget()
}

// loops says whether a text goes round in circles: its end is the same few
// tokens again and again.
func loops(tokens []Token) bool {
	const longest, times = 12, 4
	for n := 1; n <= longest; n++ {
		rounds := max(times, 10/n) // a word may well be said four times
		if len(tokens) < n*rounds {
			continue
		}
		same := true
		for i := len(tokens) - n*(rounds-1); i < len(tokens) && same; i++ {
			same = tokens[i].ID == tokens[i-n].ID
		}
		if same {
			return true
		}
	}
	return false
}

// finish makes the result of the best hypothesis.
func (s *Session) finish(result Result) Result {
	q, v := &s.search, s.recogniser.words
	all := append(q.done, q.live...)
	if len(all) == 0 {
		return result
	}
	best := &all[0]
	for i := range all {
		if all[i].score() > best.score() {
			best = &all[i]
		}
	}
	var ids []int32
	for _, t := range best.tokens {
		if t.ID != v.end {
			ids = append(ids, t.ID)
		}
	}
	result.Text = strings.TrimSpace(strings.ToValidUTF8(v.tokenizer.Decode(ids), ""))
	result.Tokens, result.Repeats = best.tokens, best.loops
	result.Confidence = confidence(best.tokens)
	return result
}
