package eval_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/sim/eval"
)

// The suites in words were written before the planner was tuned by them, and stay
// what they are: a figure is worth what the suite behind it was on that day.
func TestSuitesAreFrozen(t *testing.T) {
	var sums strings.Builder
	for _, name := range []string{"kitchen-fresh.jsonl", "kitchen-later.jsonl", "kitchen-third.jsonl", "kitchen.jsonl", "tabletop.jsonl"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(text), name)
	}
	want, err := os.ReadFile("testdata/suites.sums")
	if err != nil {
		t.Fatal(err)
	}
	if sums.String() != string(want) {
		t.Errorf("the suites changed:\n%swant:\n%s", sums.String(), want)
	}
}

// A later suite shares no sentence and no scene with those before, and has each of
// their families.
func TestLaterSuitesAreFresh(t *testing.T) {
	freshFrom(t, eval.KitchenFresh(), 8, eval.Kitchen())
	freshFrom(t, eval.KitchenLater(), 3, eval.Kitchen(), eval.KitchenFresh())
	freshFrom(t, eval.KitchenThird(), 12, eval.Kitchen(), eval.KitchenFresh(), eval.KitchenLater())
}

func freshFrom(t *testing.T, fresh *eval.Suite, least int, before ...*eval.Suite) {
	t.Helper()
	said, scenes, families := map[string]bool{}, map[string]bool{}, map[string]int{}
	for _, old := range before {
		for i := range old.Episodes {
			e := &old.Episodes[i]
			said[strings.ToLower(strings.Join(e.Instruction, "/"))] = true
			scenes[fmt.Sprint(e.Scene)] = true
			families[e.Family] = 0
		}
	}
	for i := range fresh.Episodes {
		e := &fresh.Episodes[i]
		families[e.Family]++
		if text := strings.ToLower(strings.Join(e.Instruction, "/")); said[text] {
			t.Errorf("%s: line %d: %q was said before", fresh.Name, e.Line, text)
		}
		if scenes[fmt.Sprint(e.Scene)] {
			t.Errorf("%s: line %d: its scene is of a suite before", fresh.Name, e.Line)
		}
	}
	for family, n := range families {
		if n < least {
			t.Errorf("family %s has %d episodes, want %d or more", family, n, least)
		}
	}
}
