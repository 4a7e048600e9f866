package guard_test

import (
	"testing"

	"github.com/kuai-robot/kuai/policy/guard"
)

func TestDecent(t *testing.T) {
	for text, want := range map[string]string{
		"there is no fucking mug here":       "there is no … mug here",
		"I will remember: you are an IDIOT!": "I will remember: you are an …!",
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
