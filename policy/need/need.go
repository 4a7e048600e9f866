package need

import (
	"context"
	_ "embed" // for the sentences
	"fmt"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/kuai-robot/kuai/robot"
)

//go:embed uses.yaml
var usesYAML []byte

// Encoder gives the embedding of a sentence, of unit length, valid until the next
// call; embed.TextSession is one.
type Encoder interface {
	Encode(ctx context.Context, sentence string) ([]float32, error)
}

// How the likenesses of a thing count. They were chosen on sentences of the suites
// kitchen and kitchen-fresh; from 0.9 and 0.7 to 1 and 0.85 they hardly matter.
const (
	byWord = 0.9  // a sentence for a word of its name
	byKind = 0.85 // a sentence for its kind
	byMean = 0.3  // the mean of all, beside the best
	// enough is what the best thing must reach; below that nothing was asked for, or
	// nothing that is here.
	enough = 0.5
	// alike are things of one kind so close that it does not matter which.
	alike = 0.12
)

// maxKept bounds the embeddings that are remembered.
const maxKept = 4096

// Needs finds what helps.
type Needs struct {
	mu      sync.Mutex
	encoder Encoder
	uses    map[string][]string
	kept    map[string][]float32
}

// New gives a Needs that reads with e.
func New(e Encoder) (*Needs, error) {
	n := &Needs{encoder: e, kept: map[string][]float32{}}
	if err := yaml.Unmarshal(usesYAML, &n.uses); err != nil {
		return nil, fmt.Errorf("need: uses.yaml: %w", err)
	}
	return n, nil
}

// Helps gives the names of those of things any one of which helps who says text, the
// best first; none: it does not tell.
func (n *Needs) Helps(ctx context.Context, text string, things []robot.Object) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	said, err := n.encoder.Encode(ctx, text)
	if err != nil {
		return nil
	}
	said = append([]float32(nil), said...)
	best, top := -1, 0.0
	scores := make([]float64, len(things))
	for i := range things {
		if scores[i], err = n.score(ctx, said, &things[i]); err != nil {
			return nil
		}
		if best < 0 || scores[i] > top {
			best, top = i, scores[i]
		}
	}
	if best < 0 || top < enough {
		return nil
	}
	names := []string{things[best].Name}
	for i := range things {
		if i != best && things[i].Kind == things[best].Kind && top-scores[i] <= alike {
			names = append(names, things[i].Name)
		}
	}
	return names
}

// score says how well o would help.
func (n *Needs) score(ctx context.Context, said []float32, o *robot.Object) (float64, error) {
	name, err := n.likeness(ctx, said, []string{o.Name})
	if err != nil {
		return 0, err
	}
	best, sum, count := name, name, 1.0
	add := func(weight float64, sentences []string) error {
		if len(sentences) == 0 {
			return nil
		}
		l, err := n.likeness(ctx, said, sentences)
		best, sum, count = max(best, weight*l), sum+weight*l, count+1
		return err
	}
	var words []string
	for _, w := range strings.FieldsFunc(strings.ToLower(o.Name), func(r rune) bool { return r == ' ' || r == '-' }) {
		if s, ok := n.uses[w]; ok {
			words = append(words, s...)
		} else {
			words = append(words, n.uses[strings.TrimSuffix(w, "s")]...)
		}
	}
	if err := add(byWord, words); err != nil {
		return 0, err
	}
	err = add(byKind, n.uses[o.Kind])
	return best + byMean*sum/count, err
}

// likeness gives the largest cosine to one of the sentences.
func (n *Needs) likeness(ctx context.Context, said []float32, sentences []string) (float64, error) {
	best := -1.0
	for _, s := range sentences {
		e, ok := n.kept[s]
		if !ok {
			fresh, err := n.encoder.Encode(ctx, s)
			if err != nil {
				return 0, err
			}
			if len(n.kept) >= maxKept {
				clear(n.kept)
			}
			e = append([]float32(nil), fresh...)
			n.kept[s] = e
		}
		dot := 0.0
		for i := range min(len(e), len(said)) {
			dot += float64(e[i]) * float64(said[i])
		}
		best = max(best, dot)
	}
	return best, nil
}
