package guard_test

import (
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/policy/guard"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
)

func scene(names ...string) *robot.Scene {
	s := &robot.Scene{}
	for _, n := range names {
		colour, kind, _ := strings.Cut(n, " ")
		s.Objects = append(s.Objects, robot.Object{Name: n, Kind: kind, Colour: colour})
	}
	return s
}

func kitchen() *skill.Catalogue { return skill.Kitchen() }

func TestCheck(t *testing.T) {
	g := guard.New(skill.Tabletop())
	here := scene("red block", "grey block", "blue bowl")
	for _, tc := range []struct {
		text, says string // empty: accepted
	}{
		{"put the red block in the blue bowl", ""},
		{"Put the RED cube in the dish, please!", ""},
		{"take the gray brick", ""},
		{"clear the table", ""},
		{"what can you do?", ""},
		{"put something blue on the desk", ""},
		{"整理桌子", ""},
		{"take the purple block", "there is no purple block here: I see the red block and the grey block"},
		{"put the red block in the yellow bowl", "there is no yellow bowl here: I see the blue bowl"},
		{"put the blue cube away", "there is no blue block"},
		{"pick up the green apple", "there is no green apple here: I see the red block, the grey block and the blue bowl"},
		{"", "no words"},
		{" \n\t", "no words"},
		{"?!", "no words"},
		{"\xff\xfe", "not UTF-8"},
		{strings.Repeat("red ", 200), "800 bytes"},
	} {
		r := g.Check(tc.text, here)
		if (r == nil) != (tc.says == "") || r != nil && !strings.Contains(r.Error(), tc.says) {
			t.Errorf("Check(%.40q) = %v, want %q", tc.text, r, tc.says)
		}
	}
	if r := g.Check("take a block", scene("red bowl", "evil\nname")); r == nil || r.Reason != "there is no block here: I see the red bowl" {
		t.Errorf("no block at all: %v", r)
	}
	if r := g.Check("take a block", scene()); r == nil || !strings.Contains(r.Reason, "nothing at all") {
		t.Errorf("an empty table: %v", r)
	}
	if r := g.Check("take a purple block", nil); r != nil {
		t.Errorf("without a scene nothing is known to be missing: %v", r)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("put the purple block in the bowl")
	f.Add("\xff block")
	g, here := guard.New(skill.Tabletop()), scene("red block", "blue bowl")
	f.Fuzz(func(t *testing.T, text string) {
		if r := g.Check(text, here); r != nil && (r.Reason == "" || len(r.Reason) > 200) {
			t.Fatalf("Check(%q) gives %q", text, r.Reason)
		}
	})
}
