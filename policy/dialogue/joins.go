package dialogue

import "slices"

// onward are the words that a sentence goes on with after one could have thought
// that it was over.
var onward = []string{
	"and", "then", "but", "or", "after", "before", "to", "into", "in", "inside", "on", "onto", "next", "beside", "near", "with", "from", "under", "over", "behind", "between",
	"然", "再", "并", "接",
}

// Joins says whether rest, which was said soon after first, goes on with the
// sentence: "pick up the red block" … "and put it in the blue bowl". Whoever says
// stop, yes or no says nothing more of the sentence.
func (d *Dialogue) Joins(first, rest string) bool {
	u := parse(rest)
	if len(u.words) == 0 || u.stops() || u.yes() || u.no() {
		return false
	}
	// A stop anywhere in it is none of the sentence, whatever else was heard.
	if slices.Contains(u.words, "stop") || slices.Contains(u.words, "停") {
		return false
	}
	return len(parse(first).words) > 0 && slices.Contains(onward, u.words[0])
}
