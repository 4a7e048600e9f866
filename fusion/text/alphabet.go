package text

import (
	"fmt"
	"unicode/utf8"
)

// byteRunes is GPT-2's alphabet: the printable letter that a vocabulary file
// writes for each byte.
var byteRunes = func() (runes [256]rune) {
	next := rune(256)
	for b := range runes {
		if b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE {
			runes[b] = rune(b)
			continue
		}
		runes[b] = next
		next++
	}
	return runes
}()

var runeBytes = func() map[rune]byte {
	m := make(map[rune]byte, len(byteRunes))
	for b, r := range byteRunes {
		m[r] = byte(b)
	}
	return m
}()

// toBytes gives the bytes that a vocabulary entry stands for.
func toBytes(entry string) (string, error) {
	out := make([]byte, 0, len(entry))
	for i, r := range entry {
		b, ok := runeBytes[r]
		if !ok || r == utf8.RuneError {
			return "", fmt.Errorf("%q: character %d (%q) is not of the byte alphabet", entry, i, r)
		}
		out = append(out, b)
	}
	return string(out), nil
}
