package speech

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// Choices are whole texts that somebody may have said, as a trie of their tokens.
// They belong to one recogniser and do not change.
type Choices struct {
	texts []string
	nodes []choiceNode
}

type choiceNode struct {
	tokens   []int32
	children []int32
	text     int // that ends here; -1: none
}

// Choices makes choices of plain texts; the model is asked for them as it would
// write them, with a capital and a full stop.
func (s *Session) Choices(texts []string) *Choices {
	c := &Choices{texts: texts, nodes: []choiceNode{{text: -1}}}
	for i, text := range texts {
		at := int32(0)
		for _, id := range append(s.recogniser.words.spell(capital(text)), s.recogniser.words.tokenizer.Encode(".")...) {
			n := &c.nodes[at]
			k := slices.Index(n.tokens, id)
			if k < 0 {
				k = len(n.tokens)
				n.tokens, n.children = append(n.tokens, id), append(n.children, int32(len(c.nodes)))
				c.nodes = append(c.nodes, choiceNode{text: -1})
				n = &c.nodes[at]
			}
			at = n.children[k]
		}
		c.nodes[at].text = i
	}
	return c
}

// Choice is the most probable of several texts.
type Choice struct {
	Text string
	// LogP is the logarithm of its probability, Mean that of the geometric mean of
	// its tokens', Margin how much larger LogP is than that of the next best.
	LogP, Mean, Margin float64
}

const (
	// choiceBeam is how many beginnings of texts are followed.
	choiceBeam = 10
	// A beginning that is this much less probable, in nats, than the best one is
	// given up: fewer are faster.
	choiceApart = 9
	// So much behind a whole text nothing can make it less certain.
	choiceBehind = 6
)

// branch is the beginning of a text.
type branch struct {
	from int // in the hypotheses of the pass before
	id   int32
	node int32
	sum  float64
}

// Choose says which of c the session heard last: the text with the largest
// probability, by beam search. It needs Options.Draft, which gives it room; ok is
// false without a text.
func (s *Session) Choose(ctx context.Context, language string, c *Choices) (best Choice, ok bool, err error) {
	told, err := s.recogniser.words.language(language)
	if err != nil || s.heard == 0 {
		return Choice{}, false, err
	}
	v, q, size := s.recogniser.words, &s.search, s.recogniser.config.Vocabulary
	beam := min(choiceBeam, promptSize+s.recogniser.options.Draft)
	q.rows = 0
	s.decode.Set(s.recogniser.decode.heard, s.heard)
	root := hypothesis{seen: make([]uint8, s.recogniser.decode.cache)}
	var ignored Result
	logp, err := s.prompt(ctx, &root, told, nil, &ignored)
	if err != nil {
		return Choice{}, false, err
	}
	q.live = append(q.live[:0], root)
	nodes, done := []int32{0}, []Choice{}
	for n := 0; len(q.live) > 0; n++ {
		branches := promising(s.branch(c, nodes, logp, &done, n), done, beam)
		if len(branches) == 0 || q.rows+len(branches) > s.recogniser.decode.cache {
			break
		}
		nodes = s.grow(branches)
		if logp, err = s.pass(ctx, n+promptLength(v)); err != nil {
			return Choice{}, false, err
		}
		logp = logp[:len(q.live)*size]
	}
	return first(done)
}

// promising gives the best of branches, the best first.
func promising(branches []branch, done []Choice, most int) []branch {
	least := math.Inf(-1)
	for _, b := range branches {
		least = max(least, b.sum-choiceApart)
	}
	for _, d := range done {
		least = max(least, d.LogP-choiceBehind)
	}
	branches = slices.DeleteFunc(branches, func(b branch) bool { return b.sum < least })
	slices.SortFunc(branches, func(a, b branch) int { return cmp.Compare(b.sum, a.sum) })
	return branches[:min(len(branches), most)]
}

// branch lists how the hypotheses go on, and adds the texts that end to done.
func (s *Session) branch(c *Choices, nodes []int32, logp []float32, done *[]Choice, n int) (all []branch) {
	q, size := &s.search, s.recogniser.config.Vocabulary
	for i := range q.live {
		row, sum := logp[i*size:(i+1)*size], q.live[i].sum
		node := &c.nodes[nodes[i]]
		if node.text >= 0 {
			end := sum + float64(row[s.recogniser.words.end])
			*done = append(*done, Choice{Text: c.texts[node.text], LogP: end, Mean: end / float64(n+1)})
		}
		for k, id := range node.tokens {
			all = append(all, branch{i, id, node.children[k], sum + float64(row[id])})
		}
	}
	return all
}

// grow makes hypotheses of branches and gives their nodes.
func (s *Session) grow(branches []branch) (nodes []int32) {
	q := &s.search
	q.next = q.next[:0]
	for _, b := range branches {
		from := &q.live[b.from]
		q.next = append(q.next, hypothesis{seen: slices.Clone(from.seen), tokens: append(slices.Clip(from.tokens), Token{ID: b.id}), sum: b.sum})
		nodes = append(nodes, b.node)
	}
	q.live, q.next = q.next, q.live
	return nodes
}

func first(done []Choice) (Choice, bool, error) {
	if len(done) == 0 {
		return Choice{}, false, nil
	}
	slices.SortFunc(done, func(a, b Choice) int { return cmp.Compare(b.LogP, a.LogP) })
	best := done[0]
	best.Margin = math.Inf(1)
	if len(done) > 1 {
		best.Margin = best.LogP - done[1].LogP
	}
	return best, true, nil
}
