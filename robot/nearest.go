package robot

// Nearest gives the known word with the fewest edits to word (Levenshtein
// distance), the first of equals; empty when known is.
func Nearest(word string, known []string) string {
	best, fewest := "", -1
	for _, k := range known {
		if d := edits(word, k); fewest < 0 || d < fewest {
			best, fewest = k, d
		}
	}
	return best
}

func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
