package guard_test

import (
	"testing"

	"github.com/kuai-robot/kuai/policy/guard"
)

func TestDecent(t *testing.T) {
	for text, want := range map[string]string{
		"there is no fucking mug here":       "there is no … mug here",
		"I will remember: you are an IDIOT!": "I would rather not say that.",
		"sh1t, $hit and b@stards":            "…, … and …",
		"Do you mean the red apple?":         "Do you mean the red apple?",
		"the classic Scunthorpe mug":         "the classic Scunthorpe mug",
		"好的。":                                "好的。",
		"":                                   "",
	} {
		if got, ok := guard.Decent(text); got != want || ok != (got == text) {
			t.Errorf("%q gives %q, %v", text, got, ok)
		}
	}
}

// Of sentences that nothing was trained on, most that are toxic are not said, and
// what a robot has to say passes.
func TestToxic(t *testing.T) {
	for _, c := range []struct {
		file  string
		toxic bool
		most  float64
	}{{"toxic.txt", true, 0.4}, {"civil.txt", false, 0.05}} {
		all, wrong := lines(t, c.file), 0
		for _, text := range all {
			if _, ok := guard.Decent(text); ok == c.toxic {
				wrong++
				t.Logf("%s: %q: %.3f", c.file, text, guard.Toxic(text))
			}
		}
		t.Logf("%s: %d of %d wrong", c.file, wrong, len(all))
		if float64(wrong) > c.most*float64(len(all)) {
			t.Errorf("%s: %d of %d wrong, at most %.0f %%", c.file, wrong, len(all), 100*c.most)
		}
	}
}
