package speech

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kuai-robot/kuai/fusion/text"
)

// vocabulary is what the decoder's tokens are for.
type vocabulary struct {
	tokenizer              *text.Tokenizer
	start, end, transcribe int32
	noSpeech, noTimes      int32
	languages              map[string]int32 // empty where the model knows English alone
	suppress               []bool           // by id: never chosen
	suppressFirst          []int32          // not chosen as the first token
}

func readVocabulary(dir string, size int) (*vocabulary, error) {
	t, err := text.FromFolder(dir)
	if err != nil {
		return nil, err
	}
	if t.Len() > size {
		return nil, fmt.Errorf("%s: the tokenizer has %d tokens, vocab_size is %d", dir, t.Len(), size)
	}
	v := &vocabulary{tokenizer: t, languages: map[string]int32{}, suppress: make([]bool, size)}
	if err := v.specials(); err != nil {
		return nil, fmt.Errorf("%s: tokenizer: %w", dir, err)
	}
	if err := v.readSuppressed(dir); err != nil {
		return nil, err
	}
	for id := v.end + 1; int(id) < size; id++ {
		v.suppress[id] = true // special tokens and time stamps
	}
	return v, nil
}

// specials finds the tokens that steer Whisper.
func (v *vocabulary) specials() error {
	var missing []error
	find := func(names ...string) int32 {
		for _, name := range names {
			if id, ok := v.tokenizer.ID(name); ok {
				return id
			}
		}
		missing = append(missing, fmt.Errorf("%s is no token", names[0]))
		return 0
	}
	v.start, v.end = find("<|startoftranscript|>"), find("<|endoftext|>")
	v.transcribe, v.noTimes = find("<|transcribe|>"), find("<|notimestamps|>")
	v.noSpeech = find("<|nospeech|>", "<|nocaptions|>")
	if err := errors.Join(missing...); err != nil {
		return err
	}
	if v.start < v.end || v.transcribe < v.end || v.noTimes < v.end || v.noSpeech < v.end {
		return errors.New("a special token comes before <|endoftext|>, which Whisper has first")
	}
	// Languages are the tokens after the start that look like one.
	for id := v.start + 1; id < v.transcribe; id++ {
		name := v.tokenizer.Piece(id)
		if code := strings.TrimSuffix(strings.TrimPrefix(name, "<|"), "|>"); len(code)+4 == len(name) && len(code) >= 2 && len(code) <= 3 {
			v.languages[code] = id
		}
	}
	return nil
}

// readSuppressed reads the lists, by the names that either layout gives them.
func (v *vocabulary) readSuppressed(dir string) error {
	for _, name := range []string{"generation_config.json", "config.json"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		var c struct {
			Always  []int32 `json:"suppress_tokens"`
			First   []int32 `json:"begin_suppress_tokens"`
			Always2 []int32 `json:"suppress_ids"`
			First2  []int32 `json:"suppress_ids_begin"`
		}
		if err == nil {
			err = json.Unmarshal(data, &c)
		}
		if err != nil {
			return fmt.Errorf("%s: %s: %w", dir, name, err)
		}
		for _, id := range append(c.Always, c.Always2...) {
			if id < -1 || int(id) >= len(v.suppress) {
				return fmt.Errorf("%s: %s: suppressed token %d is outside the %d tokens", dir, name, id, len(v.suppress))
			}
			if id >= 0 && id != v.end {
				v.suppress[id] = true
			}
		}
		for _, id := range append(c.First, c.First2...) {
			if id < 0 || int(id) >= len(v.suppress) {
				return fmt.Errorf("%s: %s: token %d, suppressed at first, is outside the %d tokens", dir, name, id, len(v.suppress))
			}
			if !slices.Contains(v.suppressFirst, id) {
				v.suppressFirst = append(v.suppressFirst, id)
			}
		}
		if len(c.Always)+len(c.Always2)+len(c.First)+len(c.First2) > 0 {
			return nil
		}
	}
	return nil
}

// language gives the token of a language code; 0 for a model that has none.
func (v *vocabulary) language(code string) (int32, error) {
	if len(v.languages) == 0 {
		if code != "" && code != "en" {
			return 0, fmt.Errorf("language %q: the model knows English alone", code)
		}
		return 0, nil
	}
	if code == "" {
		return 0, nil
	}
	id, ok := v.languages[code]
	if !ok {
		return 0, fmt.Errorf("language %q: not one of the %d that the model knows (en, zh, de, …)", code, len(v.languages))
	}
	return id, nil
}

func (v *vocabulary) languageOf(id int32) string {
	for code, known := range v.languages {
		if known == id {
			return code
		}
	}
	return "en"
}
