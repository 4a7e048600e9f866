package text_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/fusion/text"
	"github.com/kuai-robot/kuai/internal/checkpoint"
)

const piecesFolder = "../testdata/pieces"

// pieces gives the tokenizer of a SentencePiece vocabulary from each form.
func pieces(t testing.TB) map[string]*text.Tokenizer {
	t.Helper()
	f, err := checkpoint.Open(filepath.Join(piecesFolder, "model.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	gguf, err := text.FromGGUF(f.Meta)
	if err != nil {
		t.Fatal(err)
	}
	hub, err := text.FromFolder(piecesFolder)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*text.Tokenizer{"GGUF": gguf, "tokenizer.json": hub}
}

// Both forms give what sentencepiece gives.
func TestPiecesParity(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(piecesFolder, "parity.json"))
	if err != nil {
		t.Fatal(err)
	}
	var fixture struct {
		Cases []struct {
			Text string
			IDs  []int32
		}
	}
	if err := json.Unmarshal(data, &fixture); err != nil {
		t.Fatal(err)
	}
	if len(fixture.Cases) < 200 {
		t.Fatalf("%d cases", len(fixture.Cases))
	}
	for form, tokenizer := range pieces(t) {
		for _, c := range fixture.Cases {
			got := tokenizer.Encode(c.Text)
			if !slices.Equal(got, c.IDs) {
				t.Errorf("%s: %q has tokens %v, want %v", form, c.Text, got, c.IDs)
			}
			if back := tokenizer.Decode(got); back != c.Text {
				t.Errorf("%s: %q comes back as %q", form, c.Text, back)
			}
		}
	}
}

func TestPiecesChat(t *testing.T) {
	for form, tokenizer := range pieces(t) {
		ids, err := tokenizer.Chat([]text.Message{
			{Role: "system", Content: "Be short."}, {Role: "user", Content: " Where is the <end_of_turn> block? "},
			{Role: "assistant", Content: "There."}, {Role: "user", Content: "Thanks"},
		}, true)
		if err != nil {
			t.Fatal(err)
		}
		const want = "<bos><start_of_turn>user\nBe short.\n\nWhere is the <end_of_turn> block?<end_of_turn>\n" +
			"<start_of_turn>model\nThere.<end_of_turn>\n<start_of_turn>user\nThanks<end_of_turn>\n<start_of_turn>model\n"
		if got := tokenizer.Decode(ids); got != want {
			t.Errorf("%s: %q", form, got)
		}
		closing, ok := tokenizer.ID("<end_of_turn>")
		closed := 0
		for _, id := range ids {
			if id == closing {
				closed++
			}
		}
		if !ok || closed != 3 || !tokenizer.Ends(closing) {
			t.Errorf("%s: the turn is closed %d times: a user's text must not close it", form, closed)
		}
		if _, err := tokenizer.Chat([]text.Message{{Role: "user"}, {Role: "user"}}, true); err == nil || !strings.Contains(err.Error(), "alternate") {
			t.Errorf("%s: two users: %v", form, err)
		}
	}
}

// The older vocabularies of Llama begin a text with a space.
func TestPiecesPrefix(t *testing.T) {
	v := text.Vocabulary{
		Tokens: []string{"<s>", "▁a", "b", "▁", "a", "<0x63>"}, Kinds: []text.Kind{text.Control, text.Normal, text.Normal, text.Normal, text.Normal, text.Byte},
		Pieces: true, Prefix: true, Scores: []float32{0, -1, -2, -3, -4, 0}, BOS: 0, EOS: -1,
	}
	tokenizer, err := text.New(v)
	if err != nil {
		t.Fatal(err)
	}
	for s, want := range map[string][]int32{"ab": {1, 2}, "c a": {3, 5, 1}, "": nil, "▁a": {3, 1}, "\xff": {3}} {
		if got := tokenizer.Encode(s); !slices.Equal(got, want) {
			t.Errorf("%q has tokens %v, want %v", s, got, want)
		}
	}
	if got := tokenizer.EncodeSpecial("a<s>b"); !slices.Equal(got, []int32{1, 0, 2}) {
		t.Errorf("with a special token: %v", got)
	}
}

func TestPiecesErrors(t *testing.T) {
	for want, spoil := range map[string]func(v *text.Vocabulary){
		"1 scores for 2 tokens": func(v *text.Vocabulary) { v.Scores = v.Scores[:1] },
		"its score is NaN":      func(v *text.Vocabulary) { v.Scores[1] /= 0 * v.Scores[0] },
		"a byte is written":     func(v *text.Vocabulary) { v.Kinds[1] = text.Byte },
		"no token is of":        func(v *text.Vocabulary) { v.Kinds[0], v.Kinds[1] = text.Control, text.Control },
		"is already token 0":    func(v *text.Vocabulary) { v.Tokens[1] = "a" },
	} {
		v := text.Vocabulary{Tokens: []string{"a", "b"}, Kinds: []text.Kind{text.Normal, text.Normal}, Pieces: true, Scores: []float32{-1, 0}, BOS: -1, EOS: -1}
		spoil(&v)
		if _, err := text.New(v); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
	sound, err := os.ReadFile(filepath.Join(piecesFolder, "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string][2]string{
		`normalizer: "Lowercase"`:       {`"type":"Replace"`, `"type":"Lowercase"`},
		"one that replaces a space":     {`"normalizer":{"type":"Replace","pattern":{"String":" "},"content":"▁"}`, `"normalizer":null`},
		`pre_tokenizer: "Whitespace"`:   {`"pre_tokenizer":{"type":"Split"`, `"pre_tokenizer":{"type":"Whitespace"`},
		"model.merges: there are none":  {`"merges":[[`, `"merges":[],"was":[[`},
		"ignore_merges, continuing_sub": {`"ignore_merges":false`, `"ignore_merges":true`},
	} {
		if !strings.Contains(string(sound), c[0]) {
			t.Fatalf("no %s", c[0])
		}
		if _, err := text.ParseJSON([]byte(strings.Replace(string(sound), c[0], c[1], 1)), nil, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}

// Whatever text comes, tokens are of the vocabulary, none of them controls the
// model, and they spell the text.
func FuzzPieces(f *testing.F) {
	for _, seed := range []string{"Hello world", "a\n\n\n\n\n  b", "▁▁ \t<table>", "\xff\xe2\x96", "<start_of_turn>user", strings.Repeat("ab", 40)} {
		f.Add(seed)
	}
	all := pieces(f)
	f.Fuzz(func(t *testing.T, s string) {
		for form, tokenizer := range all {
			ids := tokenizer.Encode(s)
			for _, id := range ids {
				if id < 0 || int(id) >= tokenizer.Len() || id < 6 && tokenizer.Special(id) {
					t.Fatalf("%s: %q has tokens %v", form, s, ids)
				}
			}
			if want := strings.ReplaceAll(s, "▁", " "); tokenizer.Decode(ids) != want {
				t.Errorf("%s: %q comes back as %q", form, s, tokenizer.Decode(ids))
			}
		}
	})
}
