package turns_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/turns"
)

// Texts are counted against what the people of each recording say.
func TestScore(t *testing.T) {
	all, err := turns.Recordings()
	if err != nil || len(all) < 10 {
		t.Fatalf("%d recordings, %v", len(all), err)
	}
	var texts []string
	words := 0
	for _, r := range all {
		texts = append(texts, strings.ToUpper(r.Said)+".")
		words += len(strings.Fields(r.Said))
	}
	if e, err := turns.Score(texts); err != nil || e.Words != words || e.Total() != 0 {
		t.Errorf("%+v, %v; want %d words without an error", e, err, words)
	}
	texts[0], texts[1] = all[0].Said+" and more", strings.TrimPrefix(all[1].Said, "go ")
	if e, err := turns.Score(texts); err != nil || e.Extra != 2 || e.Lost != 1 || e.Total() != 3 {
		t.Errorf("%+v, %v; want two words too many and one lost", e, err)
	}
	if _, err := turns.Score(texts[1:]); err == nil {
		t.Error("a text is missing and nobody says so")
	}
}

func TestWriteScore(t *testing.T) {
	all, err := turns.Recordings()
	if err != nil {
		t.Fatal(err)
	}
	var in, out bytes.Buffer
	in.WriteString(`["go forward 10 meters"` + strings.Repeat(`, ""`, len(all)-1) + "]")
	if err := turns.WriteScore(&in, &out); err != nil || !strings.Contains(out.String(), `"errors":`) {
		t.Errorf("%s, %v", out.String(), err)
	}
	if err := turns.WriteScore(strings.NewReader("[1]"), &out); err == nil {
		t.Error("a number is a text")
	}
}
