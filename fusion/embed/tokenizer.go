package embed

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Tokenizer gives the tokens of a sentence, the special ones around it
// included, most of them at most.
type Tokenizer interface {
	Encode(sentence string, most int) []int32
	// Len is one more than the largest token.
	Len() int
}

// maxVocabulary bounds the tokens, far above any model's.
const maxVocabulary = 1 << 22

// checkIDs says which id is taken twice or outside 0..n-1 for n tokens.
func checkIDs(vocabulary map[string]int32) error {
	n := len(vocabulary)
	if n == 0 || n > maxVocabulary {
		return fmt.Errorf("vocabulary of %d tokens, want 1 to %d", n, maxVocabulary)
	}
	taken := make([]bool, n)
	for token, id := range vocabulary {
		if id < 0 || int(id) >= n || taken[id] {
			return fmt.Errorf("token %q has id %d, which is taken or outside the %d tokens", token, id, n)
		}
		taken[id] = true
	}
	return nil
}

// jsonTokenizer is tokenizer.json, as far as it decides tokens.
type jsonTokenizer struct {
	Added []struct {
		ID      int32  `json:"id"`
		Content string `json:"content"`
	} `json:"added_tokens"`
	Normalizer json.RawMessage `json:"normalizer"`
	Model      struct {
		Type    string          `json:"type"`
		Vocab   json.RawMessage `json:"vocab"`
		Merges  []jsonMerge     `json:"merges"`
		Suffix  string          `json:"end_of_word_suffix"`
		Unknown int32           `json:"unk_id"`
	} `json:"model"`
}

// jsonMerge is "a b" or ["a", "b"].
type jsonMerge [2]string

func (m *jsonMerge) UnmarshalJSON(data []byte) error {
	var line string
	if json.Unmarshal(data, &line) == nil {
		var err error
		*m, err = splitMerge(line)
		return err
	}
	var parts []string
	if err := json.Unmarshal(data, &parts); err != nil || len(parts) != 2 {
		return fmt.Errorf("merge %s: want two tokens", data)
	}
	*m = jsonMerge{parts[0], parts[1]}
	return nil
}

// openCLIPTokenizer reads vocab.json and merges.txt, or tokenizer.json.
func openCLIPTokenizer(dir string) (Tokenizer, error) {
	vocab, err := os.ReadFile(filepath.Join(dir, "vocab.json"))
	if err == nil {
		merges, err := os.ReadFile(filepath.Join(dir, "merges.txt"))
		if err != nil {
			return nil, fmt.Errorf("tokenizer: %w", err)
		}
		t, err := parseCLIP(vocab, merges)
		if err != nil {
			return nil, fmt.Errorf("%s: vocab.json and merges.txt: %w", dir, err)
		}
		return t, nil
	}
	data, err := os.ReadFile(filepath.Join(dir, "tokenizer.json"))
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %s has neither vocab.json with merges.txt nor tokenizer.json", dir)
	}
	t, err := parseCLIPJSON(data)
	if err != nil {
		return nil, fmt.Errorf("%s: tokenizer.json: %w", dir, err)
	}
	return t, nil
}

// openSigLIPTokenizer reads tokenizer.json.
func openSigLIPTokenizer(dir string) (Tokenizer, error) {
	data, err := os.ReadFile(filepath.Join(dir, "tokenizer.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("tokenizer: %s has no tokenizer.json (kuai does not read spiece.model; AutoTokenizer.from_pretrained(…).save_pretrained(…) writes one)", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	t, err := parseUnigram(data)
	if err != nil {
		return nil, fmt.Errorf("%s: tokenizer.json: %w", dir, err)
	}
	return t, nil
}

// openWordPiece reads vocab.txt.
func openWordPiece(dir string) (Tokenizer, error) {
	path := filepath.Join(dir, "vocab.txt")
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	lower, err := lowerCase(filepath.Join(dir, "tokenizer_config.json"))
	if err != nil {
		return nil, err
	}
	t, err := parseWordPiece(string(data), lower)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// lowerCase reads do_lower_case, which is true where nothing says otherwise.
func lowerCase(path string) (bool, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return true, nil
	}
	c := struct {
		Lower bool `json:"do_lower_case"`
	}{true}
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		return false, fmt.Errorf("tokenizer: %s: %w", path, err)
	}
	return c.Lower, nil
}
