package scenes

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
)

// ShardPictures is how many pictures a shard holds.
const ShardPictures = 500

// Shards writes pictures and truths into a folder, as safetensors files:
//
//	pictures  u8  [n, Height, Width, 3]
//	truth     u8  [n, statements]   0 no, 1 yes, 2 the picture does not say
//	at        f32 [n, things, 2]    where they show, shares of width and height; NaN: nowhere
//
// The metadata has, in JSON, the things, and of each statement the relation, A, B,
// whether it is held out, and the sentences that affirm and that deny it. A shard is
// written whole and renamed.
type Shards struct {
	dir        string
	next, n    int
	statements []Statement
	things     []string
	pictures   []byte
	truth, at  []byte
}

// NewShards writes into dir, which has none yet.
func NewShards(dir string) (*Shards, error) {
	there, err := filepath.Glob(filepath.Join(dir, "shard-*.safetensors"))
	if err == nil && len(there) > 0 {
		err = fmt.Errorf("%s: there are pictures already: give another folder", dir)
	}
	if err != nil {
		return nil, err
	}
	s := &Shards{dir: dir, statements: All()}
	for _, st := range s.statements {
		if st.Relation == There {
			s.things = append(s.things, st.A)
		}
	}
	return s, os.MkdirAll(dir, 0o755)
}

// Add keeps a picture.
func (s *Shards) Add(p *Picture) error {
	s.pictures = append(s.pictures, p.Pixels...)
	for _, st := range s.statements {
		s.truth = append(s.truth, byte(p.View.Judge(st)))
	}
	for _, name := range s.things {
		at, ok := p.View.At[name]
		for _, v := range at {
			if !ok {
				v = math.NaN()
			}
			s.at = binary.LittleEndian.AppendUint32(s.at, math.Float32bits(float32(v)))
		}
	}
	if s.n++; s.n == ShardPictures {
		return s.Flush()
	}
	return nil
}

// entry is a statement as the metadata has it.
type entry struct {
	Statement
	HeldOut bool     `json:"held_out"`
	Affirm  []string `json:"affirm"`
	Deny    []string `json:"deny"`
}

// Flush writes what is left.
func (s *Shards) Flush() error {
	if s.n == 0 {
		return nil
	}
	var entries []entry
	for _, st := range s.statements {
		entries = append(entries, entry{st, st.HeldOut(), st.Affirm(), st.Deny()})
	}
	told, err := json.Marshal(entries)
	if err != nil {
		return err
	}
	things, err := json.Marshal(s.things)
	if err != nil {
		return err
	}
	header := map[string]any{"__metadata__": map[string]string{"statements": string(told), "things": string(things)}}
	at := 0
	tensor := func(name, dtype string, data []byte, shape ...int) {
		header[name] = map[string]any{"dtype": dtype, "shape": shape, "data_offsets": [2]int{at, at + len(data)}}
		at += len(data)
	}
	tensor("at", "F32", s.at, s.n, len(s.things), 2)
	tensor("pictures", "U8", s.pictures, s.n, Height, Width, 3)
	tensor("truth", "U8", s.truth, s.n, len(s.statements))
	if err := s.write(header); err != nil {
		return err
	}
	s.next, s.n = s.next+1, 0
	s.pictures, s.truth, s.at = s.pictures[:0], s.truth[:0], s.at[:0]
	return nil
}

func (s *Shards) write(header map[string]any) error {
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	path := filepath.Join(s.dir, fmt.Sprintf("shard-%05d.safetensors", s.next))
	file, err := os.Create(path + ".part")
	if err != nil {
		return err
	}
	_, err = file.Write(append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...))
	for _, data := range [][]byte{s.at, s.pictures, s.truth} {
		if err == nil {
			_, err = file.Write(data)
		}
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}
