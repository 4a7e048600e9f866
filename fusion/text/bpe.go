package text

import "container/heap"

// merged is what two neighbouring tokens become, and how early.
type merged struct {
	rank, token int32
}

// symbol is a token of a piece that is being merged, in a doubly linked list.
type symbol struct {
	token      int32 // -1 once it went into its left neighbour
	prev, next int32 // -1 at the ends
}

// candidate is a pair that could merge: the symbol at left and the one after.
type candidate struct {
	rank, left  int32
	first, then int32 // the tokens when it was noted; stale if they changed
}

// merger encodes one piece after the other and keeps its memory.
type merger struct {
	symbols []symbol
	queue   candidates
	joined  []byte // two texts, one after the other
}

// candidates is a heap.Interface: the lowest rank first, then the leftmost.
type candidates []candidate

func (q candidates) Len() int { return len(q) }
func (q candidates) Less(i, j int) bool {
	if q[i].rank != q[j].rank {
		return q[i].rank < q[j].rank
	}
	return q[i].left < q[j].left
}
func (q candidates) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *candidates) Push(x any)   { *q = append(*q, x.(candidate)) }
func (q *candidates) Pop() any {
	last := len(*q) - 1
	c := (*q)[last]
	*q = (*q)[:last]
	return c
}

// encode appends the tokens of one piece to dst. Merging takes
// O(n log n), so that a long run of one letter costs no more than a text.
func (m *merger) encode(t *Tokenizer, dst []int32, piece string) []int32 {
	m.symbols, m.queue = m.symbols[:0], m.queue[:0]
	for piece != "" {
		size, token := 1, int32(-1)
		if t.split == nil {
			size, token = t.letter(piece)
		}
		if token >= 0 {
			m.add(token)
		} else {
			for i := range size {
				m.add(t.bytes[piece[i]])
			}
		}
		piece = piece[size:]
	}
	if len(m.symbols) == 0 {
		return dst
	}
	m.symbols[len(m.symbols)-1].next = -1
	for i := range m.symbols {
		m.note(t, int32(i))
	}
	for len(m.queue) > 0 {
		m.apply(t, heap.Pop(&m.queue).(candidate))
	}
	for i := range m.symbols {
		if token := m.symbols[i].token; token >= 0 {
			dst = append(dst, token)
		}
	}
	return dst
}

// add appends a token; -1: there is none.
func (m *merger) add(token int32) {
	if token < 0 {
		return
	}
	at := int32(len(m.symbols))
	m.symbols = append(m.symbols, symbol{token: token, prev: at - 1, next: at + 1})
}

// merge says what two tokens become.
func (m *merger) merge(t *Tokenizer, first, then int32) (merged, bool) {
	if t.words == nil {
		to, ok := t.merges[pair(first, then)]
		return to, ok
	}
	if t.kinds[first] == Byte || t.kinds[then] == Byte {
		return merged{}, false
	}
	m.joined = append(append(m.joined[:0], t.text[first]...), t.text[then]...)
	to, ok := t.words[string(m.joined)]
	return to, ok
}

// note queues the pair that starts at left if it merges.
func (m *merger) note(t *Tokenizer, left int32) {
	if left < 0 || m.symbols[left].next < 0 {
		return
	}
	first, then := m.symbols[left].token, m.symbols[m.symbols[left].next].token
	if to, ok := m.merge(t, first, then); ok {
		heap.Push(&m.queue, candidate{to.rank, left, first, then})
	}
}

func (m *merger) apply(t *Tokenizer, c candidate) {
	left := &m.symbols[c.left]
	if left.token != c.first || left.next < 0 || m.symbols[left.next].token != c.then {
		return
	}
	right := &m.symbols[left.next]
	to, _ := m.merge(t, c.first, c.then)
	left.token = to.token
	left.next, right.token = right.next, -1
	if left.next >= 0 {
		m.symbols[left.next].prev = c.left
	}
	m.note(t, left.prev)
	m.note(t, c.left)
}

func pair(a, b int32) uint64 { return uint64(uint32(a))<<32 | uint64(uint32(b)) }
