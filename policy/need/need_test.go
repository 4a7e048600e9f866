package need

import (
	"context"
	"errors"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/robot"
)

// words is an encoder for which sentences are alike that share words.
type words struct {
	asked int
	fails bool
}

func (w *words) Encode(_ context.Context, sentence string) ([]float32, error) {
	w.asked++
	if w.fails {
		return nil, errors.New("no model")
	}
	e := make([]float32, 512)
	for _, word := range strings.FieldsFunc(strings.ToLower(sentence), func(r rune) bool { return r == ' ' || r == ',' }) {
		h := fnv.New32a()
		h.Write([]byte(word))
		e[h.Sum32()%512]++
	}
	norm := 0.0
	for _, x := range e {
		norm += float64(x) * float64(x)
	}
	for i := range e {
		e[i] /= float32(math.Sqrt(norm))
	}
	return e, nil
}

var things = []robot.Object{
	{Name: "corkscrew", Kind: "sharp"}, {Name: "cola can", Kind: "drink"}, {Name: "iced brew", Kind: "drink"},
	{Name: "yo-yo", Kind: "toy"}, {Name: "pills", Kind: "medicine"},
}

func TestHelps(t *testing.T) {
	n, err := New(&words{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		want []string
	}{
		{"I want to open a bottle of wine", []string{"corkscrew"}},  // a word of its name
		{"the child is bored and wants to play", []string{"yo-yo"}}, // its kind alone
		{"I am thirsty", []string{"cola can", "iced brew"}},         // any of them
		{"I have a headache", []string{"pills"}},                    // a name in the plural
		{"quantum chromodynamics", nil},                             // nothing
	} {
		got := n.Helps(context.Background(), c.text, things)
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %v, want %v", c.text, got, c.want)
		}
	}
}

// What was read once is not read again, and what fails finds nothing.
func TestHelpsKeepsAndFails(t *testing.T) {
	w := &words{}
	n, err := New(w)
	if err != nil {
		t.Fatal(err)
	}
	n.Helps(context.Background(), "I am thirsty", things)
	first := w.asked
	n.Helps(context.Background(), "I am hungry", things)
	if again := w.asked - first; again != 1 {
		t.Errorf("read %d sentences the second time, want the text alone (%d the first time)", again, first)
	}
	w.fails = true
	if got := n.Helps(context.Background(), "I am thirsty", things); got != nil {
		t.Errorf("without a model: %v", got)
	}
	if got := n.Helps(context.Background(), "I am thirsty", nil); got != nil {
		t.Errorf("without things: %v", got)
	}
}
