package generate

import (
	"context"
	"fmt"
	"math"
)

// pass computes the rest of the prompt and the nodes of the batch in one run.
// The root's row is that of the prompt's last token.
func (c *Scorer) pass(ctx context.Context) error {
	s, p := c.session, &c.session.model.score
	past := s.filled() + len(s.branches)
	prompt := s.filled() + len(c.rest) // rows of the prompt once this pass is done
	rows := len(c.rest) + len(c.batch)
	if len(c.rest) > 0 {
		rows-- // the root is both
	}
	s.score.Set(p.tokens, rows)
	s.score.Set(p.past, past)
	s.score.Set(p.selected, len(c.batch))
	picks := 0
	for _, node := range c.batch {
		picks += len(c.trie.tokens[node])
	}
	s.score.Set(p.picks, picks)
	c.fillRows(past, prompt)
	c.fillPicks(past)
	p.media.set(s.score, s.model.base.options.Cross, rows, s.seen)
	if err := s.score.Run(ctx); err != nil {
		for _, node := range c.batch {
			c.row[node] = -1
		}
		return err
	}
	c.passes, c.rows = c.passes+1, c.rows+rows
	return c.take(prompt)
}

// fillRows sets ids, positions and masks: the prompt's rest first, then the
// nodes. Each node gets its row.
func (c *Scorer) fillRows(past, prompt int) {
	s, p := c.session, &c.session.model.score
	ids, positions := s.score.I32(p.ids), s.score.I32(p.positions)
	for i, token := range c.rest {
		ids[i], positions[i] = token, int32(past+i)
		c.see(i, past, past+i+1, -1, prompt)
	}
	at := len(c.rest)
	for _, node := range c.batch {
		if node == 0 {
			c.row[0] = prompt - 1
			continue
		}
		c.row[node] = past + at
		ids[at], positions[at] = c.trie.token[node], int32(prompt-1+c.trie.depth[node])
		c.see(at, past, prompt, node, prompt)
		at++
	}
}

// see writes the masks of row i of the pass: it sees the first until rows, and
// the node with its ancestors if node is not negative.
func (c *Scorer) see(i, past, until, node, prompt int) {
	s, p := c.session, &c.session.model.score
	context, window := s.model.context, s.model.config.Window
	position := until - 1
	if node >= 0 {
		position = prompt - 1 + c.trie.depth[node]
	}
	for _, m := range []struct {
		mask  []uint8
		first int // position that is seen first
	}{
		{s.score.U8(p.mask), 0},
		{s.score.U8(p.local), max(0, position-window+1)},
	} {
		if m.mask == nil {
			continue
		}
		row := m.mask[i*context : (i+1)*context]
		clear(row)
		for j := m.first; j < until; j++ {
			row[j] = 1
		}
		for n := node; n > 0 && prompt-1+c.trie.depth[n] >= m.first; n = c.trie.parent[n] {
			row[c.row[n]] = 1
		}
	}
}

// fillPicks asks for the children of each node of the batch.
func (c *Scorer) fillPicks(past int) {
	s, p := c.session, &c.session.model.score
	rows := s.score.I32(p.rows)
	pickRows, pickTokens := s.score.I32(p.pickRows), s.score.I32(p.pickTokens)
	n := 0
	for i, node := range c.batch {
		rows[i] = int32(c.row[node] - past)
		for _, token := range c.trie.tokens[node] {
			pickRows[n], pickTokens[n] = int32(i), token
			n++
		}
	}
}

// take stores what the run gave and what the cache now holds.
func (c *Scorer) take(prompt int) error {
	s := c.session
	s.held, c.rest = append(s.held, c.rest...), c.rest[:0]
	logp := s.score.F32(s.model.score.logp)
	n := 0
	for _, node := range c.batch {
		if node > 0 {
			parent := c.row[c.trie.parent[node]]
			s.branches = append(s.branches, branch{parent, c.trie.token[node]})
		}
		for _, child := range c.trie.children[node] {
			c.logp[child] = float64(logp[n])
			n++
			if math.IsNaN(c.logp[child]) {
				return fmt.Errorf("node %d: the model gave NaN (are its weights damaged?)", child)
			}
			c.sum[child] = c.sum[node] + c.logp[child]
		}
	}
	return nil
}
