package guard

import (
	_ "embed" // for the weights
	"math"
	"strings"
)

// Buckets is how many hashed features the classifier has.
const Buckets = 1 << 14

// SuspiciousFrom is the probability from which the classifier alone declines. It
// was chosen on testdata/development.tsv so that it adds hardly any refusal of
// what is harmless.
const SuspiciousFrom = 0.97

// weights are a scale and a bias, float32 little-endian, and a signed byte for each
// bucket: what train/guard wrote.
//
//go:embed weights.bin
var weights []byte

// Suspicion is the classifier's probability that text asks for harm: logistic
// regression over hashed words, pairs of words and pieces of words.
func Suspicion(text string) float64 {
	if len(weights) != Buckets+8 {
		return 0
	}
	scale, z := float(weights), float(weights[4:])
	seen := map[uint32]bool{}
	for _, f := range features(text) {
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

// features gives the buckets of text's features; train/guard/features.py gives the
// same, which a fixture checks.
func features(text string) []uint32 {
	words := strings.Fields(string(newSaid(text).without(harmful.Idioms)))
	if len(words) > 200 {
		words = words[:200]
	}
	var all []uint32
	for i, w := range words {
		all = append(all, bucket("w", w))
		if i > 0 {
			all = append(all, bucket("p", words[i-1]+" "+w))
		}
		if i > 1 {
			all = append(all, bucket("s", words[i-2]+" "+w))
		}
		padded := "<" + w + ">"
		for j := 0; j+4 <= len(padded); j++ {
			all = append(all, bucket("c", padded[j:j+4]))
		}
	}
	return all
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
