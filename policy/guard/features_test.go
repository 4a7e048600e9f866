package guard

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// The features are those of train/guard/features.py, which wrote the file.
func TestFeatures(t *testing.T) {
	b, err := os.ReadFile("testdata/features.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Text     string
		Features []uint32
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		got := features(c.Text, harmfulNames)
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, c.Features) {
			t.Errorf("%q (%v): %v, want %v", c.Text, abstract(c.Text, harmfulNames), got, c.Features)
		}
	}
}
