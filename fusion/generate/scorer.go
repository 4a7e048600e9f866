package generate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Scorer says how probable the branches of a trie are after a prompt. It uses
// the cache of its session and belongs to the same goroutine.
type Scorer struct {
	session *Session
	trie    *Trie
	turn    uint64 // of the session when this was prompted; 0 before

	rest []int32   // the end of the prompt that is still to be computed
	row  []int     // of each node in the cache, -1 before it was computed
	logp []float64 // of each node after its parent, NaN before
	sum  []float64 // of logp from the root
	can  []float64 // of each node the logarithm of the most that Expect says of the options below
	// passes and rows count what Prompt and Expand have computed since the last
	// Prompt.
	passes, rows int
	batch        []int // nodes of the pass that is being made up
}

// Scorer makes a scorer of t, to be prompted before it is asked.
func (s *Session) Scorer(t *Trie) *Scorer {
	n := t.Nodes()
	return &Scorer{session: s, trie: t, row: make([]int, n), logp: make([]float64, n), sum: make([]float64, n), can: make([]float64, n)}
}

// Expect tells what each option's probability will be multiplied with, 0 to 1,
// so that passes are filled with nodes that a search for the largest product
// asks for. It changes how long scoring takes, never a score. Options beyond
// can count as 1.
func (c *Scorer) Expect(can []float64) {
	for node := range c.can {
		c.can[node] = math.Inf(-1)
		if o := c.trie.option[node]; o >= len(can) {
			c.can[node] = 0
		} else if o >= 0 {
			c.can[node] = math.Log(can[o])
		}
	}
	for node := len(c.can) - 1; node > 0; node-- { // children come after their parents
		parent := c.trie.parent[node]
		c.can[parent] = max(c.can[parent], c.can[node])
	}
}

// Work says how many forward passes and tokens were computed for the last
// prompt so far.
func (c *Scorer) Work() (passes, tokens int) { return c.passes, c.rows }

// ErrNoPrompt says that Expand was called before Prompt, or after the session
// was used for something else.
var ErrNoPrompt = errors.New("the scorer has no prompt, or its session was used for another one since: call Prompt first")

// Prompt sets what the model has read before the root of the trie. What the
// cache holds already is not computed again; the end of the prompt may be left
// to the pass that the first Expand makes.
func (c *Scorer) Prompt(ctx context.Context, tokens []int32) error {
	s := c.session
	if err := s.check(tokens, 1); err != nil {
		return err
	}
	if err := s.checkTokens(c.trie.token[1:]); err != nil {
		return fmt.Errorf("trie: %w", err)
	}
	if c.current() && slices.Equal(tokens, slices.Concat(s.held, c.rest)) {
		return nil
	}
	kept := s.keep(tokens[:len(tokens)-1])
	c.turn, c.passes, c.rows = 0, 0, 0
	left := tokens[kept:]
	rest := left[max(0, len(left)-promptRows):]
	if ahead := left[:len(left)-len(rest)]; len(ahead) > 0 {
		if _, err := s.read(ctx, ahead, false); err != nil {
			return err
		}
		c.passes += (len(ahead) + s.model.batch - 1) / s.model.batch
		c.rows += len(ahead)
	}
	c.turn, c.rest = s.turn, append(c.rest[:0], rest...)
	for i := range c.row {
		c.row[i], c.logp[i], c.sum[i] = -1, math.NaN(), math.NaN()
	}
	c.sum[0] = 0
	return nil
}

// current says whether the cache is still what this scorer made of it.
func (c *Scorer) current() bool { return c.turn != 0 && c.turn == c.session.turn }

// Expand writes log p(child | prompt, path to node), of the softmax over the
// whole vocabulary, one for each child of node in the order of Children.
func (c *Scorer) Expand(ctx context.Context, node int, logp []float64) error {
	if !c.current() {
		return ErrNoPrompt
	}
	if node < 0 || node >= c.trie.Nodes() {
		return fmt.Errorf("node %d of a trie of %d", node, c.trie.Nodes())
	}
	tokens, children := c.trie.Children(node)
	if len(logp) != len(tokens) {
		return fmt.Errorf("node %d has %d children, asked for %d", node, len(tokens), len(logp))
	}
	for len(tokens) > 0 && c.row[node] < 0 {
		if err := c.plan(node); err != nil {
			return err
		}
		prompt := slices.Concat(c.session.held, c.rest)
		err := c.pass(ctx)
		if err != nil && c.session.recover(err) {
			c.turn = 0
			err = c.Prompt(ctx, prompt)
		}
		if err != nil {
			return err
		}
	}
	for i, child := range children {
		logp[i] = c.logp[child]
	}
	return nil
}

const (
	// promptRows is how much of a prompt goes into the pass that expands the root.
	promptRows = 32
	// aheadRows is how many nodes a pass takes at most, those that are likely to
	// be asked for next beside the one in question. Over the tabletop's options
	// 8 make a fifth of the passes and a fifth more tokens than 1.
	aheadRows = 8
)

// plan makes up the nodes of the next pass, parents before children: the way
// to node, or as much of it as fits, and what is likely to be asked for next.
func (c *Scorer) plan(node int) error {
	c.batch = c.batch[:0]
	for n := node; n >= 0 && c.row[n] < 0; n = c.trie.parent[n] {
		c.batch = append(c.batch, n)
	}
	slices.Reverse(c.batch)
	s := c.session
	used := s.filled() + len(s.branches) + max(0, len(c.rest)-1) // the root has the row of the prompt's end
	rows := min(scoreRows-max(0, len(c.rest)-1), s.model.context-used)
	picks, fit := scorePicks, 0
	for fit < min(rows, len(c.batch)) && len(c.trie.tokens[c.batch[fit]]) <= picks {
		picks -= len(c.trie.tokens[c.batch[fit]])
		fit++
	}
	if fit == 0 {
		n := c.batch[0]
		return fmt.Errorf("node %d with %d children does not fit: the context is %d, %d of it used, and a node has at most %d children",
			n, len(c.trie.tokens[n]), s.model.context, used, scorePicks)
	}
	if fit < len(c.batch) {
		c.batch = c.batch[:fit]
		return nil
	}
	c.fill(node, max(0, min(aheadRows, rows)-fit), picks)
	return nil
}

// fill adds up to n nodes that are likely to be asked for: those below node
// where nothing is to be chosen, then the most promising open ones, each with
// what follows it without a choice.
func (c *Scorer) fill(node, n, picks int) {
	add := func(node int) bool {
		if n == 0 || len(c.trie.tokens[node]) > picks {
			return false
		}
		c.batch = append(c.batch, node)
		n, picks = n-1, picks-len(c.trie.tokens[node])
		return true
	}
	chain := func(node int) {
		for len(c.trie.children[node]) == 1 && c.trie.option[c.trie.children[node][0]] < 0 {
			node = c.trie.children[node][0]
			if !add(node) {
				return
			}
		}
	}
	chain(node)
	for n > 0 {
		best := c.open()
		if best < 0 || !add(best) {
			return
		}
		chain(best)
	}
}

// open gives the node with the most below it that is neither computed nor in
// the batch, but whose parent is computed; -1 if there is none.
func (c *Scorer) open() int {
	best, most := -1, math.Inf(-1)
	for node, sum := range c.sum {
		value := sum + c.can[node]
		if !(value > most) || c.row[node] >= 0 || c.trie.option[node] >= 0 || slices.Contains(c.batch, node) {
			continue // NaN too: its parent is not computed
		}
		best, most = node, value
	}
	return best
}
