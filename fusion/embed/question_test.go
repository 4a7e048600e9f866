package embed_test

import (
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/fusion/embed"
)

func TestContrast(t *testing.T) {
	for question, want := range map[string][2]string{
		"Is there a red block in a bowl?":          {"there is a red block in a bowl", "there is no red block in a bowl"},
		"is there an  orange block on the table":   {"there is an orange block on the table", "there is no orange block on the table"},
		"Is there anything in the blue bowl?":      {"there is something in the blue bowl", "there is nothing in the blue bowl"},
		"is something in the blue bowl?":           {"there is something in the blue bowl", "there is nothing in the blue bowl"},
		"is a red block on a green block?":         {"there is a red block on a green block", "there is no red block on a green block"},
		"Is the red block left of the blue bowl?":  {"the red block is left of the blue bowl", "the red block is not left of the blue bowl"},
		"is the drawer open?":                      {"the drawer is open", "the drawer is not open"},
		"does the gripper hold a white cylinder?":  {"the gripper holds a white cylinder", "the gripper holds no white cylinder"},
		"is the gripper holding anything?":         {"the gripper holds something", "the gripper holds nothing"},
		"a red block in a bowl":                    {"a red block in a bowl", "no red block in a bowl"},
		"the purple bowl is empty":                 {"the purple bowl is empty", "the purple bowl is not empty"},
		"can you see a button?":                    {"there is a button", "there is no button"},
		"there is a blue block in the gripper":     {"there is a blue block in the gripper", "there is no blue block in the gripper"},
		"does the gripper hold something?":         {"the gripper holds something", "the gripper holds nothing"},
		"is there a black cylinder in a blue bowl": {"there is a black cylinder in a blue bowl", "there is no black cylinder in a blue bowl"},
	} {
		yes, no, err := embed.Contrast(question)
		if err != nil || yes != want[0] || no != want[1] {
			t.Errorf("%q: %q and %q, %v; want %q", question, yes, no, err, want)
		}
	}
	for question, want := range map[string]string{
		"": "ask about a thing", "how many blocks are there?": "ask about a thing", "is there?": "ask about a thing", "is the red block?": "begins with none of",
	} {
		if _, _, err := embed.Contrast(question); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error about %q", question, err, want)
		}
	}
}

// Whatever is asked is an error or two sentences that are not the same.
func FuzzContrast(f *testing.F) {
	for _, seed := range []string{"is there a red block in a bowl?", "is the drawer open?", "the bowl is empty", "a", "is  ?", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, question string) {
		if yes, no, err := embed.Contrast(question); err == nil && (yes == no || yes == "" || no == "") {
			t.Errorf("%q: %q and %q", question, yes, no)
		}
	})
}
