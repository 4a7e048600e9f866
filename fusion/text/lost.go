package text

// lostMerge gives back the first merge to a list that lost it. Programs that write
// tokenizer.json of merges.txt may take its first line for the comment that other
// such files begin with; the files of Whisper that go round are so. Without it
// their first token of two bytes, " t", is never made, and with it no " the": an
// encoder that follows the file writes what the model has never read.
//
// A vocabulary of GPT-2's kind shows it: tokens 0 to 255 are the bytes, and token
// 256+i is what merge i makes. The list is completed only where it is that and
// one too short at its start.
func lostMerge(v *Vocabulary) {
	const bytes = 256
	if v.Pieces || len(v.Tokens) < bytes+2 || len(v.Merges) == 0 || v.Merges[0][0]+v.Merges[0][1] != v.Tokens[bytes+1] {
		return
	}
	for i := range bytes {
		if runes := []rune(v.Tokens[i]); len(runes) != 1 {
			return
		}
	}
	lost := []rune(v.Tokens[bytes])
	if len(lost) != 2 || v.Kinds[bytes] != Normal {
		return
	}
	for _, m := range v.Merges {
		if m[0]+m[1] == v.Tokens[bytes] {
			return
		}
	}
	v.Merges = append([][2]string{{string(lost[0]), string(lost[1])}}, v.Merges...)
}
