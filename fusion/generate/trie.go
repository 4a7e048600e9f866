package generate

import "fmt"

// Trie is a set of token sequences, the options, by their common beginnings.
// Node 0 is the root; each option is a leaf. It does not change after NewTrie
// and may be shared.
type Trie struct {
	tokens   [][]int32 // of the edges to the children of a node
	children [][]int
	option   []int
	parent   []int
	token    []int32 // of the edge that leads to a node
	depth    []int
}

// NewTrie makes the trie of sequences; a leaf's option is its index among them.
// None may be empty, twice there, or the beginning of another: a sum of
// log-probabilities would favour it, so close each with a terminator.
func NewTrie(sequences [][]int32) (*Trie, error) {
	if len(sequences) == 0 {
		return nil, fmt.Errorf("trie: there are no options")
	}
	t := &Trie{}
	t.add(-1, -1)
	type edge struct {
		node  int
		token int32
	}
	known := map[edge]int{}
	for i, sequence := range sequences {
		if len(sequence) == 0 {
			return nil, fmt.Errorf("trie: option %d has no tokens", i)
		}
		node := 0
		for _, token := range sequence {
			if t.option[node] >= 0 {
				return nil, fmt.Errorf("trie: option %d begins with all of option %d (close both with a terminator)", i, t.option[node])
			}
			child, ok := known[edge{node, token}]
			if !ok {
				child = t.add(node, token)
				known[edge{node, token}] = child
			}
			node = child
		}
		if t.option[node] >= 0 || len(t.children[node]) > 0 {
			return nil, fmt.Errorf("trie: option %d is the same as another one or its beginning (close each with a terminator)", i)
		}
		t.option[node] = i
	}
	return t, nil
}

func (t *Trie) add(parent int, token int32) int {
	node := len(t.option)
	t.tokens, t.children = append(t.tokens, nil), append(t.children, nil)
	t.option, t.parent, t.token = append(t.option, -1), append(t.parent, parent), append(t.token, token)
	if parent < 0 {
		t.depth = append(t.depth, 0)
		return node
	}
	t.depth = append(t.depth, t.depth[parent]+1)
	t.tokens[parent] = append(t.tokens[parent], token)
	t.children[parent] = append(t.children[parent], node)
	return node
}

// Nodes counts all nodes, leaves too.
func (t *Trie) Nodes() int { return len(t.option) }

// Children gives the tokens that may follow node and the nodes they lead to,
// in the order in which the options brought them.
func (t *Trie) Children(node int) (tokens []int32, nodes []int) {
	return t.tokens[node], t.children[node]
}

// Option gives the option that a leaf stands for, -1 for an inner node.
func (t *Trie) Option(node int) int { return t.option[node] }

// child gives the node that token leads to from node, -1 if there is none.
func (t *Trie) child(node int, token int32) int {
	for i, known := range t.tokens[node] {
		if known == token {
			return t.children[node][i]
		}
	}
	return -1
}
