package trial

import (
	_ "embed" // for the sentences
	"math/rand/v2"
	"strings"
)

//go:embed sentences.txt
var sentencesText string

// sentences are patterns of each language.
func sentences() map[string][]string {
	all := map[string][]string{}
	for line := range strings.Lines(sentencesText) {
		language, pattern, ok := strings.Cut(strings.TrimSpace(line), " ")
		if ok && language != "#" {
			all[language] = append(all[language], pattern)
		}
	}
	return all
}

// expand draws one of each choice of a pattern such as "a [red|blue] bowl".
func expand(draw *rand.Rand, pattern string) string {
	var out strings.Builder
	for {
		before, rest, ok := strings.Cut(pattern, "[")
		out.WriteString(before)
		if !ok {
			return out.String()
		}
		choices, after, _ := strings.Cut(rest, "]")
		all := strings.Split(choices, "|")
		out.WriteString(all[draw.IntN(len(all))])
		pattern = after
	}
}
