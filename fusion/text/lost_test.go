package text_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/fusion/text"
	"github.com/kuai-robot/kuai/internal/models"
)

// Whisper's file lacks its first merge; the tokens are those of the tokenizer that
// the model was trained with all the same.
func TestWhisperTokens(t *testing.T) {
	store, err := models.NewStore()
	if err != nil {
		t.Skip(err)
	}
	dir, err := store.Find("whisper-base")
	if err != nil {
		t.Skip(err)
	}
	tokenizer, err := text.FromFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join("..", "testdata", "whisper_tokens.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Text string
		IDs  []int32
	}
	if err := json.Unmarshal(data, &cases); err != nil || len(cases) < 200 {
		t.Fatalf("%d cases: %v", len(cases), err)
	}
	for _, c := range cases {
		if got := tokenizer.Encode(c.Text); !slices.Equal(got, c.IDs) {
			t.Errorf("%q: tokens %v, want %v", c.Text, got, c.IDs)
		}
	}
}

// aVocabulary writes a tokenizer.json of GPT-2's kind: the bytes, " t", "he", and " the".
func aVocabulary(merges string, extra ...string) []byte {
	var entries []string
	for b, r := range alphabet() {
		entries = append(entries, fmt.Sprintf("%q: %d", string(r), b))
	}
	for i, token := range append([]string{"Ġt", "he", "Ġthe"}, extra...) {
		entries = append(entries, fmt.Sprintf("%q: %d", token, 256+i))
	}
	return fmt.Appendf(nil, `{"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
		"model": {"type": "BPE", "vocab": {%s}, "merges": [%s]}}`, strings.Join(entries, ", "), merges)
}

// alphabet gives the characters that stand for the 256 bytes.
func alphabet() (all []rune) {
	next := rune(256)
	for b := range rune(256) {
		if b > 32 && b < 127 || b > 160 && b != 173 {
			all = append(all, b)
			continue
		}
		all = append(all, next)
		next++
	}
	return all
}

func TestLostMerge(t *testing.T) {
	const he, the = `"h e"`, `"Ġt he"`
	for name, c := range map[string]struct {
		merges string
		want   []int32
	}{
		"whole":                       {`"Ġ t", ` + he + ", " + the, []int32{258}},
		"without the first":           {he + ", " + the, []int32{258}},
		"without one in the middle":   {`"Ġ t", ` + the, []int32{256, 'h', 'e'}},
		"in an order of its own":      {the + ", " + he, []int32{' ', 't', 257}},
		"the first is the last there": {he + ", " + the + `, "Ġ t"`, []int32{258}},
	} {
		tokenizer, err := text.ParseJSON(aVocabulary(c.merges), nil, "")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i, id := range c.want {
			if id < 256 {
				c.want[i] = tokenizer.Encode(string(rune(id)))[0]
			}
		}
		if got := tokenizer.Encode(" the"); !slices.Equal(got, c.want) {
			t.Errorf("%s: tokens %v, want %v", name, got, c.want)
		}
	}
}
