package embed

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
)

// Whatever a tokenizer's file holds, it is an error or a tokenizer that gives
// tokens of its vocabulary, no more of them than fit.
func FuzzTokenizerFiles(f *testing.F) {
	const fixtures = "../../perception/encoder/testdata"
	for _, path := range []string{"siglip/tokenizer.json", "bert/vocab.txt"} {
		data, err := os.ReadFile(filepath.Join(fixtures, path))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"added_tokens":[{"id":0,"content":"<|startoftext|>"},{"id":1,"content":"<|endoftext|>"}],"model":{"type":"BPE","end_of_word_suffix":"</w>","vocab":{"a":2},"merges":["a a"]}}`))
	f.Add([]byte(`{"added_tokens":[{"content":"x"}],"model":{"type":"BPE","end_of_word_suffix":"</w>","vocab":null}}`))
	f.Add([]byte(`{"model":{"type":"Unigram","unk_id":0,"vocab":[["</s>",0],["a",-1]]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for name, parse := range map[string]func() (Tokenizer, error){
			"CLIP": func() (Tokenizer, error) { return parseCLIPJSON(data) },
			"merges": func() (Tokenizer, error) {
				return parseCLIP([]byte(`{"a":0,"<|startoftext|>":1,"<|endoftext|>":2}`), data)
			},
			"Unigram":   func() (Tokenizer, error) { return parseUnigram(data) },
			"WordPiece": func() (Tokenizer, error) { return parseWordPiece(string(data), true) },
		} {
			tokenizer, err := parse()
			if err != nil {
				continue
			}
			ids := tokenizer.Encode("a bowl, 12 \xff 你", 8)
			if len(ids) < 1 || len(ids) > 8 {
				t.Errorf("%s: %d tokens", name, len(ids))
			}
			for _, id := range ids {
				if id < 0 || int(id) >= tokenizer.Len() {
					t.Errorf("%s: token %d of %d", name, id, tokenizer.Len())
				}
			}
		}
	})
}

// Whatever the two files of a sound head hold, it is an error or a head whose
// graph is sound.
func FuzzSoundHead(f *testing.F) {
	config, err := os.ReadFile("testdata/sound/config.json")
	if err != nil {
		f.Fatal(err)
	}
	weights, err := os.ReadFile("testdata/sound/model.safetensors")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(config, weights)
	f.Add(config, weights[:len(weights)/2])
	f.Add([]byte(`{"model_type":"kuai_sound_head","sound_width":32,"text_width":32,"projection_dim":24,"sound_layers":1}`), weights)
	f.Add([]byte(`{"model_type":"kuai_sound_head"}`), []byte{})
	f.Fuzz(func(t *testing.T, config, weights []byte) {
		c, err := parseSoundConfig(config)
		if err != nil {
			return
		}
		file, err := checkpoint.ParseSafetensors(weights)
		if err != nil {
			return
		}
		h, err := LoadSoundHead(file, c)
		if err != nil {
			return
		}
		g := kernels.NewGraph("fuzz")
		g.Output("sound", h.Sound(g, g.Input("hidden", kernels.F32, kernels.N(3), kernels.N(c.SoundWidth))))
		g.Output("text", h.Text(g, g.Input("sentence", kernels.F32, kernels.N(2), kernels.N(c.TextWidth))))
		if g.Err() != nil {
			t.Errorf("%+v: %v", c, g.Err())
		}
	})
}
