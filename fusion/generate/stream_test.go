package generate

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Whatever the pieces, what comes out is the text before the first stop, in
// whole characters.
func TestStreamGivesTheTextBeforeTheStop(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("ab你🤖")), 0, 20, -1).Draw(t, "text")
		stops := rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune("ab你")), 1, 4, -1), 0, 3).Draw(t, "stops")
		want := text
		for _, stop := range stops {
			if at := strings.Index(text, stop); at >= 0 && at < len(want) {
				want = text[:at]
			}
		}
		s, got := &stream{stops: stops}, ""
		for rest := text; rest != ""; {
			n := min(rapid.IntRange(1, 5).Draw(t, "piece"), len(rest))
			certain, stopped := s.add(rest[:n])
			got, rest = got+certain, rest[n:]
			if strings.ContainsRune(certain, '\uFFFD') {
				t.Fatalf("%q was cut inside a character", certain)
			}
			if stopped {
				rest = ""
			}
		}
		got += s.rest()
		// Two stops may overlap, and the one that ends first ends the text.
		if !strings.HasPrefix(got, want) && got != want || len(got) > len(text) {
			t.Fatalf("%q with stops %q gave %q, want %q", text, stops, got, want)
		}
		for _, stop := range stops {
			if strings.Contains(got, stop) {
				t.Fatalf("%q has the stop %q in it", got, stop)
			}
		}
	})
}

func TestStreamHoldsNothingBackWithoutNeed(t *testing.T) {
	s := &stream{stops: []string{"\nUser:"}}
	for _, c := range []struct{ token, want string }{
		{"Hello", "Hello"}, {"\nUs", ""}, {"ual", "\nUsual"}, {"\xf0\x9f", ""}, {"\xa4\x96", "🤖"}, {"\xff", "\uFFFD"},
	} {
		if got, stopped := s.add(c.token); got != c.want || stopped {
			t.Errorf("%q gave %q (stopped %v), want %q", c.token, got, stopped, c.want)
		}
	}
	if got, stopped := s.add("!\nUser: x"); got != "!" || !stopped {
		t.Errorf("the stop gave %q, stopped %v", got, stopped)
	}
}
