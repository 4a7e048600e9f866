package dialogue_test

import (
	"testing"

	"github.com/kuai-robot/kuai/policy/dialogue"
	"github.com/kuai-robot/kuai/policy/skill"
)

func TestWhatGoesOnWithASentence(t *testing.T) {
	d, err := dialogue.New(dialogue.Config{Catalogue: skill.Tabletop()})
	if err != nil {
		t.Fatal(err)
	}
	const first = "Put the red block in the blue bowl."
	for rest, want := range map[string]bool{
		"And then push the green block to the left.": true,
		"and the blue one":                           true,
		"next to the green bowl":                     true,
		"Pick up the green block.":                   false,
		"Stop!":                                      false,
		"and stop":                                   false,
		"then stop please":                           false,
		"No.":                                        false,
		"yes":                                        false,
		"":                                           false,
		" ♪ ":                                        false,
	} {
		if got := d.Joins(first, rest); got != want {
			t.Errorf("%q: %v, want %v", rest, got, want)
		}
	}
	if d.Joins("", "and then") {
		t.Error("nothing goes on")
	}
}
