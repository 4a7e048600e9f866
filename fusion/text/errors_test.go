package text_test

import (
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/fusion/text"
)

// vocabulary is a sound one, for tests to spoil.
func vocabulary() text.Vocabulary {
	return text.Vocabulary{
		Tokens: []string{"a", "b", "ab", "<|im_start|>", "<|im_end|>"},
		Kinds:  []text.Kind{text.Normal, text.Normal, text.Normal, text.Control, text.Control},
		Merges: [][2]string{{"a", "b"}}, Split: "smollm", BOS: -1, EOS: 4, Template: "<|im_start|> <|im_end|>",
	}
}

func TestNewErrors(t *testing.T) {
	for want, spoil := range map[string]func(v *text.Vocabulary){
		"0 tokens":              func(v *text.Vocabulary) { v.Tokens = nil },
		"with 2 kinds":          func(v *text.Vocabulary) { v.Kinds = v.Kinds[:2] },
		`pre-tokenizer "x"`:     func(v *text.Vocabulary) { v.Split = "x" },
		"id 5":                  func(v *text.Vocabulary) { v.EOS = 5 },
		"BOS":                   func(v *text.Vocabulary) { v.AddBOS = true },
		"is already token 0":    func(v *text.Vocabulary) { v.Tokens[1] = "a" },
		"token 1":               func(v *text.Vocabulary) { v.Tokens[1] = "a b" },
		`merge 0: "a" and "c"`:  func(v *text.Vocabulary) { v.Merges[0][1] = "c" },
		`merge 0: "b" and "a"`:  func(v *text.Vocabulary) { v.Merges[0] = [2]string{"b", "a"} },
		"not of the byte alpha": func(v *text.Vocabulary) { v.Tokens[0] = "你" },
	} {
		v := vocabulary()
		spoil(&v)
		if _, err := text.New(v); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}

func TestChatErrors(t *testing.T) {
	v := vocabulary()
	tokenizer, err := text.New(v)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tokenizer.Chat([]text.Message{{Role: "user"}, {Role: "robot"}}, true); err == nil || !strings.Contains(err.Error(), `message 1: role "robot"`) {
		t.Errorf("unknown role: %v", err)
	}
	for template, want := range map[string]string{"": "no chat template", "[INST] {{ x }}": "neither of the form of ChatML", "<start_of_turn><end_of_turn>": "lacks its <start_of_turn>"} {
		v.Template = template
		other, err := text.New(v)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.Chat(nil, true); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("template %q: error %v, want one that says %q", template, err, want)
		}
	}
}

func TestTokenizerJSONErrors(t *testing.T) {
	const sound = `{"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]},"pre_tokenizer":{"type":"ByteLevel"}}`
	if _, err := text.ParseJSON([]byte(sound), nil, ""); err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]struct{ from, to, config string }{
		"invalid character":             {sound, `{x`, ""},
		`model.type: "Unigram"`:         {"BPE", "Unigram", ""},
		"model.vocab: token":            {`"b":1`, `"b":0`, ""},
		"model.merges":                  {`"a b"`, `"ab"`, ""},
		"pre_tokenizer: there is none":  {`,"pre_tokenizer":{"type":"ByteLevel"}`, ``, ""},
		"pre_tokenizer: want ByteLevel": {"ByteLevel", "Whitespace", ""},
		`normalizer: "Lowercase"`:       {`{"model"`, `{"normalizer":{"type":"Lowercase"},"model"`, ""},
		"added_tokens: an id of 9":      {`{"model"`, `{"added_tokens":[{"id":9,"content":"x"}],"model"`, ""},
		`eos_token: "z" is not a token`: {"", "", `{"eos_token":{"content":"z"}}`},
		"chat_template":                 {"", "", `{"chat_template":[1]}`},
		"tokenizer_config.json":         {"", "", `{`},
		"single_word":                   {`{"model"`, `{"added_tokens":[{"id":0,"content":"x","lstrip":true}],"model"`, ""},
		"byte_fallback":                 {`"type":"BPE"`, `"type":"BPE","byte_fallback":true`, ""},
	} {
		data := strings.Replace(sound, c.from, c.to, 1)
		if _, err := text.ParseJSON([]byte(data), []byte(c.config), ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}
