package guard

import (
	"cmp"
	_ "embed" // for the weights
	"math"
	"slices"
	"strings"
)

// Buckets is how many hashed features a classifier has.
const Buckets = 1 << 14

// The rules and the classifier together decide: a rule is not believed where the
// classifier is nearly sure that nothing is wrong, and what no rule knows is declined
// where it is nearly sure of the contrary; less is needed where words of harm meet.
// The bounds were chosen on sentences whose templates were not learnt (train/guard), on
// testdata and on the suites that had been looked at.
const (
	innocentTo     = 0.05
	suspiciousFrom = 0.95
	touchyFrom     = 0.7
)

// judge says why text is to be declined, by the rules and the classifier.
func judge(text string, w *harmWords, touchy bool) Reason {
	why, p := harm(text, w), suspicion(text, w)
	switch {
	case why == Fine && (p >= suspiciousFrom || touchy && p >= touchyFrom):
		return Suspicious
	case (why == Hurts || why == Poisons && !newSaid(text).eaten(w) || why == Impossible) && p < innocentTo:
		return Fine
	}
	return why
}

// weights are a scale and a bias, float32 little-endian, and a signed byte for each
// bucket: what train/guard wrote.
//
//go:embed weights.bin
var weights []byte

// Suspicion is the classifier's probability that text asks for what is to be
// declined: logistic regression over hashed words, pairs of words and kinds of things.
func Suspicion(text string) float64 { return suspicion(text, &harmful) }

// suspicion is Suspicion with the words w.
func suspicion(text string, w *harmWords) float64 {
	return classify(weights, features(text, w.names()))
}

// classify gives the probability that weights find from features.
func classify(weights []byte, features []uint32) float64 {
	if len(weights) != Buckets+8 {
		return 0
	}
	scale, z := float(weights), float(weights[4:])
	seen := map[uint32]bool{}
	for _, f := range features {
		if !seen[f] {
			seen[f] = true
			z += scale * float64(int8(weights[8+f]))
		}
	}
	return 1 / (1 + math.Exp(-z))
}

func float(b []byte) float64 {
	return float64(math.Float32frombits(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24))
}

// names gives, for each name of a list, what stands for all of the list: so what is
// learnt of a knife holds for a corkscrew, and for what the scene alone knows.
func (w *harmWords) names() map[string]string {
	names := map[string]string{}
	for _, list := range []struct {
		kind  string
		names []string
	}{{"beings", w.Beings}, {"food", w.Food}, {"frail", w.Frail}, {"hot", w.Hot}, {"chemical", w.Chemical}, {"medicine", w.Medicine}, {"sharp", w.Sharp}, {"places", w.Places}} {
		for _, n := range list.names {
			names[strings.TrimSpace(string(newSaid(n)))] = "@" + list.kind
		}
	}
	return names
}

// longest is how many words a name has at most.
const longest = 3

// abstract gives the words of text without those that tell nothing; a being, a kind
// of thing or a place stands for each name of one.
func abstract(text string, names map[string]string) (out []string) {
	words := strings.Fields(string(newSaid(text).without(harmful.Idioms)))
	if len(words) > 200 {
		words = words[:200]
	}
	for i := 0; i < len(words); {
		kind, n := "", 0
		for n = min(longest, len(words)-i); n > 0 && kind == ""; n-- {
			name := strings.Join(words[i:i+n], " ")
			if slices.Contains([]string{"me", "us", "you", "i"}, name) {
				continue
			}
			kind = cmp.Or(names[name], names[strings.TrimSuffix(name, "s")])
		}
		switch {
		case kind != "":
			out = append(out, kind)
			i += n + 1
			continue
		case !slices.Contains([]string{"the", "a", "please", "my", "that", "this", "some"}, words[i]):
			out = append(out, words[i])
		}
		i++
	}
	return out
}

// features gives the buckets of text's features; train/guard/features.py gives the
// same, which a fixture checks.
func features(text string, names map[string]string) []uint32 {
	words := abstract(text, names)
	var all []uint32
	for i, w := range words {
		all = append(all, bucket("w", w))
		if i > 0 {
			all = append(all, bucket("p", words[i-1]+" "+w))
		}
		if i > 1 {
			all = append(all, bucket("s", words[i-2]+" "+w))
		}
		if !strings.HasPrefix(w, "@") {
			all = append(all, bucket("c", beginning(w)))
		}
	}
	kinds := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return !strings.HasPrefix(w, "@") })
	slices.Sort(kinds)
	kinds = slices.Compact(kinds)
	for i, k := range kinds {
		for _, other := range kinds[i+1:] {
			all = append(all, bucket("k", k+" "+other))
		}
	}
	return all
}

// beginning gives the first letters of an ASCII word, which its forms share.
func beginning(w string) string {
	for i := range len(w) {
		if w[i] >= 0x80 {
			return w
		}
	}
	return w[:min(4, len(w))]
}

// bucket is FNV-1a, 32 bits.
func bucket(kind, text string) uint32 {
	h := uint32(2166136261)
	for _, s := range []string{kind, text} {
		for i := range len(s) {
			h = (h ^ uint32(s[i])) * 16777619
		}
	}
	return h % Buckets
}
