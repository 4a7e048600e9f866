package saycan

import (
	"fmt"
	"slices"

	"github.com/kuai-robot/kuai/policy/skill"
)

// Language is the language model that a Planner asks.
type Language interface {
	// Encode gives the tokens of text, without a token that begins a sequence.
	Encode(text string) []int32
	// Options readies the model for one set of options, each the tokens of its
	// phrase and a terminator, so that none is a prefix of another. Option i of
	// the trie is sequences[i].
	Options(sequences [][]int32) (Trie, Scorer, error)
}

// terminator closes every phrase, so that no phrase is a prefix of another and
// sums of log-probabilities compare. It is the one of skill.Terminators, which
// no phrase contains, that ends a line of the prompt.
const terminator = "\n"

// trieCache keeps the trie of the options that it was last asked for: as long
// as the same objects are there, the options are the same, whatever is possible.
type trieCache struct {
	language Language
	phrases  []string
	trie     Trie
	scorer   Scorer
}

func (c *trieCache) of(options []skill.Option) (Trie, Scorer, error) {
	if c.trie != nil && slices.EqualFunc(c.phrases, options, func(p string, o skill.Option) bool { return p == o.Phrase }) {
		return c.trie, c.scorer, nil
	}
	c.trie = nil
	phrases, sequences := make([]string, len(options)), make([][]int32, len(options))
	for i := range options {
		phrases[i], sequences[i] = options[i].Phrase, c.language.Encode(" "+options[i].Phrase+terminator)
	}
	trie, scorer, err := c.language.Options(sequences)
	if err != nil {
		return nil, nil, fmt.Errorf("saycan: build the trie of %d options: %w", len(options), err)
	}
	c.phrases, c.trie, c.scorer = phrases, trie, scorer
	return trie, scorer, nil
}
