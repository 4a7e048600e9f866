package text

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Kind says what a token is for, numbered as tokenizer.ggml.token_type does.
type Kind uint8

// Kinds of tokens.
const (
	Normal  Kind = 1
	Unknown Kind = 2
	Control Kind = 3 // steers the model; never made from plain text
	Defined Kind = 4 // added whole; EncodeSpecial finds it, Encode does not
	Unused  Kind = 5
	Byte    Kind = 6
)

// Vocabulary is what a tokenizer is made of.
type Vocabulary struct {
	// Tokens in the byte alphabet of GPT-2, or as SentencePiece writes them where
	// Pieces says so; special ones as they are.
	Tokens []string
	Kinds  []Kind
	// Merges are pairs of tokens, the earliest first.
	Merges [][2]string
	// Split names the pre-tokenizer: gpt-2, smollm or qwen2.
	Split string
	// Pieces says that tokens are texts with ▁ for a space, that a character
	// without a token becomes the tokens <0xHH> of its bytes, and that nothing is
	// split: the vocabularies of SentencePiece (arXiv 1808.06226).
	Pieces bool
	// Scores of Pieces stand for merges where there are none: two tokens become
	// the one that they spell, the highest score first.
	Scores []float32
	// Prefix says that a space is put before a text of Pieces.
	Prefix bool
	// Compose normalises text to NFC before it is split.
	Compose bool
	// BOS and EOS are ids, -1 where the model has none.
	BOS, EOS int32
	// AddBOS says that a sequence starts with BOS.
	AddBOS bool
	// Template is the chat template as the file has it, "" if it has none.
	Template string
}

// Tokenizer encodes text as one model does.
type Tokenizer struct {
	BOS, EOS int32 // -1 where the model has none
	AddBOS   bool

	split   splitter // nil for pieces
	compose bool
	prefix  bool
	text    []string // the bytes that each token stands for
	kinds   []Kind
	bytes   [256]int32 // the token of each byte, -1 where there is none
	merges  map[uint64]merged
	words   map[string]merged // pieces: what a text merges to, where scores say it
	letters map[string]int32  // pieces: the tokens of single characters
	special *specials
	whole   *specials // pieces: tokens that plain text makes before anything is merged
	ends    []int32
	chat    chatForm
	noChat  error // why Chat cannot render the template
	mergers sync.Pool
}

// maxVocabulary bounds the tokens, far above any model's.
const maxVocabulary = 1 << 22

// New checks a vocabulary and makes its tokenizer. Errors name the token or
// merge.
func New(v Vocabulary) (*Tokenizer, error) {
	n := len(v.Tokens)
	if n == 0 || n > maxVocabulary || len(v.Kinds) != n {
		return nil, fmt.Errorf("vocabulary: %d tokens with %d kinds, want 1 to %d of both", n, len(v.Kinds), maxVocabulary)
	}
	split := splitters[v.Split]
	if v.Pieces {
		split = nil
	} else if split == nil {
		return nil, fmt.Errorf("pre-tokenizer %q: kuai knows gpt-2, smollm and qwen2", v.Split)
	}
	for _, id := range []int32{v.BOS, v.EOS} {
		if id < -1 || int(id) >= n {
			return nil, fmt.Errorf("special token id %d: outside the %d tokens", id, n)
		}
	}
	if v.AddBOS && v.BOS < 0 {
		return nil, errors.New("a sequence shall start with a BOS token, and there is none")
	}
	t := &Tokenizer{BOS: v.BOS, EOS: v.EOS, AddBOS: v.AddBOS, split: split, compose: v.Compose, prefix: v.Prefix, kinds: slices.Clone(v.Kinds)}
	t.mergers.New = func() any { return new(merger) }
	fill := t.fill
	if v.Pieces {
		fill = t.fillPieces
	}
	ids, err := fill(v)
	if err != nil {
		return nil, err
	}
	if t.merges, err = readMerges(v.Merges, ids, v.Tokens); err != nil {
		return nil, err
	}
	t.special = newSpecials(v.Tokens, t.kinds, Control, Defined)
	t.ends = endings(v)
	t.chat, t.noChat = readTemplate(v.Template, t.special)
	return t, nil
}

// fill sets text and bytes, and gives the id of each normal token.
func (t *Tokenizer) fill(v Vocabulary) (map[string]int32, error) {
	ids := make(map[string]int32, len(v.Tokens))
	t.text = make([]string, len(v.Tokens))
	for i, entry := range v.Tokens {
		if t.kinds[i] != Normal && t.kinds[i] != Byte {
			t.text[i] = entry
			continue
		}
		text, err := toBytes(entry)
		if err != nil {
			return nil, fmt.Errorf("token %d: %w", i, err)
		}
		if first, twice := ids[entry]; twice {
			return nil, fmt.Errorf("token %d: %q is already token %d", i, entry, first)
		}
		t.text[i], ids[entry] = text, int32(i)
	}
	for b, r := range byteRunes {
		id, ok := ids[string(r)]
		if !ok {
			id = -1
		}
		t.bytes[b] = id
	}
	return ids, nil
}

func readMerges(pairs [][2]string, ids map[string]int32, tokens []string) (map[uint64]merged, error) {
	merges := make(map[uint64]merged, len(pairs))
	for rank, p := range pairs {
		first, ok1 := ids[p[0]]
		then, ok2 := ids[p[1]]
		whole, ok3 := ids[p[0]+p[1]]
		if !ok1 || !ok2 || !ok3 {
			return nil, fmt.Errorf("merge %d: %q and %q: they or what they make are not among the %d tokens", rank, p[0], p[1], len(tokens))
		}
		key := pair(first, then)
		if _, twice := merges[key]; !twice {
			merges[key] = merged{int32(rank), whole}
		}
	}
	return merges, nil
}

// endings are the tokens after which a model has nothing more to say.
func endings(v Vocabulary) []int32 {
	var ends []int32
	if v.EOS >= 0 {
		ends = append(ends, v.EOS)
	}
	for i, token := range v.Tokens {
		switch token {
		case "<|im_end|>", "<|endoftext|>", "<end_of_turn>", "<|eot_id|>", "</s>":
			if v.Kinds[i] == Control && int32(i) != v.EOS {
				ends = append(ends, int32(i))
			}
		}
	}
	return ends
}

// Len is the number of tokens; ids go from 0 to Len()-1.
func (t *Tokenizer) Len() int { return len(t.text) }

// Special says whether id is a token that plain text never makes.
func (t *Tokenizer) Special(id int32) bool {
	return t.valid(id) && t.kinds[id] != Normal && t.kinds[id] != Byte
}

// Ends says whether id closes an answer.
func (t *Tokenizer) Ends(id int32) bool { return slices.Contains(t.ends, id) }

func (t *Tokenizer) valid(id int32) bool { return id >= 0 && int(id) < len(t.text) }

// Piece gives the bytes that id stands for, which may be part of a character;
// "" for an id outside the vocabulary.
func (t *Tokenizer) Piece(id int32) string {
	if !t.valid(id) {
		return ""
	}
	return t.text[id]
}

// ID finds a special token by its text.
func (t *Tokenizer) ID(special string) (int32, bool) {
	id, ok := t.special.ids[special]
	return id, ok
}

// Encode gives the tokens of plain text. Special tokens in it are words like
// any other, but for the Defined ones of a SentencePiece vocabulary, such as
// several spaces. A byte that the vocabulary lacks is left out: an unknown token is
// a special one, which text must not make.
func (t *Tokenizer) Encode(s string) []int32 { return t.encode(nil, t.spaced(s)) }

// EncodeSpecial is Encode for text that may hold special tokens: never give it
// what came from outside.
func (t *Tokenizer) EncodeSpecial(s string) []int32 {
	var ids []int32
	s = t.spaced(s)
	for s != "" {
		start, id := t.special.find(s)
		if id < 0 {
			return t.encode(ids, s)
		}
		ids = append(t.encode(ids, s[:start]), id)
		s = s[start+len(t.text[id]):]
	}
	return ids
}

func (t *Tokenizer) encode(dst []int32, s string) []int32 {
	if t.split == nil {
		return t.encodePieces(dst, s)
	}
	if t.compose {
		s = compose(s)
	}
	m := t.mergers.Get().(*merger)
	defer t.mergers.Put(m)
	for s != "" {
		n := t.split(s)
		dst = m.encode(t, dst, s[:n])
		s = s[n:]
	}
	return dst
}

// Decode gives the text of ids, special tokens included. Ids outside the
// vocabulary are left out. The result need not be UTF-8.
func (t *Tokenizer) Decode(ids []int32) string {
	var b strings.Builder
	for _, id := range ids {
		b.WriteString(t.Piece(id))
	}
	return b.String()
}
