package task

import (
	"testing"

	"github.com/kuai-robot/kuai/robot"
)

var rooms = &robot.Scene{Objects: []robot.Object{
	{Name: "table", Kind: "surface"}, {Name: "shelf", Kind: "surface"}, {Name: "far counter", Kind: "surface"}, {Name: "basket", Kind: "basket"},
	{Name: "bin", Kind: "bin"}, {Name: "sink", Kind: "sink"}, {Name: "top drawer", Kind: "drawer"}, {Name: "orange", Kind: "fruit"},
}}

func TestPlainer(t *testing.T) {
	var p plainer
	for said, want := range map[string]string{
		"Fill the basket with all the fruit.":                         "put all the fruit in the basket",
		"find a spot on the shelf for the orange":                     "put the orange on the shelf",
		"make the table shine":                                        "wipe the table",
		"there are stains on the far counter, remove them":            "wipe the far counter",
		"strip the table: all of it goes on the shelf":                "put everything on the table on the shelf",
		"put the fruit in the basket, skipping the lemon":             "put the fruit in the basket except the lemon",
		"that crumpled paper can go":                                  "throw away the crumpled paper",
		"I want the top drawer open":                                  "open the top drawer",
		"any idea where the orange might be?":                         "where is the orange?",
		"count the drinks for me":                                     "how many drinks are there?",
		"Put the Orange in the sink.":                                 "Put the Orange in the sink.", // as it was said
		"a sentence of nothing that is here, nor of anything to move": "a sentence of nothing that is here, nor of anything to move",
		"the orange goes in the basket. The lemon stays where it is.": "the orange goes in the basket except the lemon",
		"the orange in the sink, mind the blade":                      "the orange in the sink",
		"":                                                            "",
	} {
		if got := p.say(said, rooms); got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
	if got := p.say("fill the basket with the fruit", &robot.Scene{}); got != "fill the basket with the fruit" {
		t.Errorf("without places: %q", got)
	}
}

// However long or odd a text is, saying it in plainer words ends and grows little.
func FuzzPlainer(f *testing.F) {
	for _, s := range []string{"fill the basket with the fruit", "the table: ", "把水果放进篮子，柠檬不要", "除了柠檬，把水果", "for me for me for me", "\xff, the orange for the sink"} {
		f.Add(s)
	}
	var p plainer
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 600 {
			return
		}
		if got := p.say(text, rooms); len(got) > 20*len(text)+200 {
			t.Errorf("%q grew to %d bytes", text, len(got))
		}
	})
}
