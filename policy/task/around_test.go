package task_test

import (
	"context"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/policy/task"
	"github.com/kuai-robot/kuai/robot"
)

// What people put around a request, and how else they say one; the sentences are of
// no suite.
func TestAround(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		// politeness that sounds like a condition
		{"the banana, if you please", "bring me the banana"},
		{"if it is no trouble, fetch the orange", "bring me the orange"},
		{"might I ask you for the toy car", "bring me the toy car"},
		// for whom
		{"my aunt wants to see it, take the toy car to her", "bring me the toy car"},
		{"spoon in the sink, banana for me", "put the spoon in the sink; bring me the banana"},
		// the second verb tells
		{"I want to take the banana with me", "bring me the banana"},
		// the place again by its other word
		{"take the banana from the far counter to the near one", "put the banana on the near counter"},
		// where something should be
		{"the banana should end up on the shelf", "put the banana on the shelf"},
		{"the scissors must go in the sink", "put the scissors in the sink"},
		{"all the mugs have to go to the sink", "put the blue mug in the sink; put the white mug in the sink"},
		{"the shelf needs a good clean", "wipe the shelf"},
		{"the empty can should be thrown away", "throw away the empty can"},
		// away with it
		{"the empty can is junk, out with it", "throw away the empty can"},
		// what it is like
		{"hand me the apple with the red skin", "bring me the red apple"},
		{"the mug that isn't white, please", "bring me the blue mug"},
		{"any fruit that is not an apple or a banana", "bring me the orange"},
		// no longer
		{"you needn't fetch the banana", "leave it"},
		{"put the banana on the shelf and not on the table", "put the banana on the shelf"},
		{"put the banana on the shelf, the orange stays where it is", "put the banana on the shelf"},
		// corrections
		{"bring the banana, not that, the orange", "bring me the orange"},
		{"the banana please, on second thoughts the orange", "bring me the orange"},
		// what it is for, and talk beside it
		{"the scissors to trim a ribbon, please", "bring me the scissors"},
		{"bring me the knife, I want to open a parcel", "bring me the knife"},
		{"once the banana is in the basket, bring me the orange", "put the banana in the basket; bring me the orange"},
		// a stain, and where it is
		{"there is a stain on the shelf, see to it", "wipe the shelf"},
		{"honey on the table, please get it clean", "wipe the table"},
		// the drawer that it was in
		{"bring me the spoon and close the drawer again", "bring me the spoon"},
		// another bottle than those that are here
		{"may I have the lemonade bottle", "! there is no lemonade bottle here"},
		// a preference that ends in a request
		{"I hate how messy it looks, wipe the table", "wipe the table"},
		{"one question: where is the spoon?", "The spoon is in the top drawer."},
		{"have you seen the spoon?", "The spoon is in the top drawer."},
		{"what a day, now the banana please", "bring me the banana"},
		// the same verb misspelt
		{"thorw the empty can away", "throw away the empty can"},
	} {
		if got := carry(t, interpreter(t, skill.Kitchen()), tc.text, kitchen()); !strings.Contains(got, tc.want) {
			t.Errorf("%q\n gives %q\n want  %q", tc.text, got, tc.want)
		}
	}
}

// helper says that what is asked for first helps, where it is there.
type helper struct{ asked []string }

func (h *helper) Helps(_ context.Context, text string, things []robot.Object) []string {
	h.asked = append(h.asked, text)
	for i := range things {
		if things[i].Name == "scissors" {
			return []string{"scissors"}
		}
	}
	return nil
}

// What is lacked and not named is asked of Needs; what is named is not, what is
// absent is not replaced, and what is ruled out does not come into question.
func TestNeeds(t *testing.T) {
	for _, tc := range []struct {
		text, want string
		asks       bool
	}{
		{"there is a loose thread on my sleeve", "bring me the scissors", true},
		{"my nails are far too long, but no scissors please", "", true},
		{"bring me the banana", "bring me the banana", false},
		{"put the tea pot in the sink", "! there is no", false},
		{"swap the banana and the orange", "~", false},
	} {
		h := &helper{}
		in, err := task.New(task.Config{Catalogue: skill.Kitchen(), Needs: h})
		if err != nil {
			t.Fatal(err)
		}
		got := carry(t, in, tc.text, kitchen())
		if !strings.Contains(got, tc.want) || (len(h.asked) > 0) != tc.asks || tc.want == "" && strings.Contains(got, "scissors;") {
			t.Errorf("%q gives %q, want %q; asked %q", tc.text, got, tc.want, h.asked)
		}
	}
}
