package speech

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/encoder/hearing"
)

// Options of a recogniser; the zero value is good.
type Options struct {
	// Compile goes to the kernels.
	Compile kernels.Options
	// Beam is how many hypotheses are followed; 0 means 1, which is greedy.
	Beam int
	// Tokens is the longest text of one clip; 0 means what the model can.
	Tokens int
	// Tail is the silence that the tower sees after the speech, in frames of
	// 10 ms; 0 means 100.
	Tail int
	// Draft is the longest text, in tokens, that Again may be given to start
	// from; 0: none. It needs a beam of 1.
	Draft int
	// Plain leaves out the remembered silence, and keeps what the decoder attends
	// to in f32: for comparisons with other implementations.
	Plain bool
	// Sound lets the backend compute the spectrogram too: for a GPU, to which only the
	// samples then go. A processor does it faster by itself.
	Sound bool
}

const (
	maxBeam     = 8
	defaultTail = 100
	promptSize  = 4 // start, language, task, no time stamps
)

// Recogniser is a model compiled for a backend. It is safe for use from many
// goroutines.
type Recogniser struct {
	config  hearing.Config
	options Options
	words   *vocabulary
	encode  *encodeProgram
	decode  *decodeProgram
	silence [][]uint16 // of each state that the decoder attends to, f16; nil: none is remembered
}

// Open loads the model of a folder for backend.
func Open(dir string, backend kernels.Backend, o Options) (*Recogniser, error) {
	f, err := checkpoint.Open(dir)
	if err != nil {
		return nil, err
	}
	r, err := open(f, dir, backend, o)
	return r, errors.Join(err, f.Close())
}

func open(f *checkpoint.File, dir string, backend kernels.Backend, o Options) (*Recogniser, error) {
	text, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		return nil, fmt.Errorf("speech model: %w", err)
	}
	c, err := hearing.ReadConfig(f, text)
	if err != nil {
		return nil, err
	}
	if o, err = o.withDefaults(&c); err != nil {
		return nil, err
	}
	r := &Recogniser{config: c, options: o}
	if r.words, err = readVocabulary(dir, c.Vocabulary); err != nil {
		return nil, err
	}
	reader := hearing.NewReader(f, c)
	tower, err := hearing.LoadTower(reader, c)
	if err != nil {
		return nil, err
	}
	d, err := loadDecoder(reader, c)
	if err != nil {
		return nil, err
	}
	if o.Plain {
		d.cross = kernels.F32
	}
	if r.encode, err = d.compileEncode(tower, backend, o.Compile, o.Sound); err != nil {
		return nil, err
	}
	cache := promptSize + o.Draft + o.Beam*o.Tokens
	if r.decode, err = d.compileDecode(backend, o.Compile, max(promptSize+o.Draft, o.Beam), cache); err != nil {
		return nil, errors.Join(err, r.encode.Close())
	}
	if o.Plain {
		return r, nil
	}
	if err := r.findSilence(d, tower, backend); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// findSilence remembers silence, which is a spectrogram and not samples: a program
// that hears samples has another one beside it for that, of the same weights.
func (r *Recogniser) findSilence(d *decoder, tower *hearing.Tower, backend kernels.Backend) (err error) {
	if !r.options.Sound {
		return r.rememberSilence(r.encode)
	}
	p, err := d.compileEncode(tower, backend, r.options.Compile, false)
	if err != nil {
		return err
	}
	return errors.Join(r.rememberSilence(p), p.Close())
}

func (o Options) withDefaults(c *hearing.Config) (Options, error) {
	if o.Beam == 0 {
		o.Beam = 1
	}
	if o.Tail == 0 {
		o.Tail = defaultTail
	}
	most := c.Tokens - promptSize
	if o.Tokens == 0 {
		o.Tokens = most
	}
	switch {
	case o.Beam < 1 || o.Beam > maxBeam:
		return o, fmt.Errorf("a beam of %d hypotheses, want 1 to %d", o.Beam, maxBeam)
	case o.Tokens < 1 || o.Tokens > most:
		return o, fmt.Errorf("texts of %d tokens, want 1 to %d", o.Tokens, most)
	case o.Draft < 0 || o.Draft > most || o.Draft > 0 && o.Beam > 1:
		return o, fmt.Errorf("a draft of %d tokens with a beam of %d, want 0 to %d with a beam of 1", o.Draft, o.Beam, most)
	case o.Tail < 0:
		return o, fmt.Errorf("a tail of %d frames, want 0 or more", o.Tail)
	}
	return o, nil
}

// Close frees the weights once the last session is closed.
func (r *Recogniser) Close() error {
	return errors.Join(r.encode.Close(), r.decode.Close())
}

// Config is the shape of the model.
func (r *Recogniser) Config() hearing.Config { return r.config }

// Languages says how many languages the model tells apart; 0: English alone.
func (r *Recogniser) Languages() int { return len(r.words.languages) }

// Session is one user of a Recogniser. It belongs to one goroutine at a time.
type Session struct {
	recogniser *Recogniser
	encode     *kernels.Session
	decode     *kernels.Session
	mel        spectrogram
	silentFrom int // the first embedding that is of silence
	search     search
	vocabulary *Vocabulary // nil: none
	heard      int         // embeddings of the newest clip that the decoder attends to
}

// spectrogram fills the input of the tower with so many frames of a clip.
type spectrogram interface {
	Compute(dst, samples []float32, frames int)
}

// NewSession allocates the memory of one more user.
func (r *Recogniser) NewSession() (*Session, error) {
	var mel spectrogram = audio.Samples{}
	if !r.options.Sound {
		var err error
		if mel, err = audio.NewLogMel(r.config.Bands); err != nil {
			return nil, err
		}
	}
	encode, err := r.encode.NewSession()
	if err != nil {
		return nil, err
	}
	decode, err := r.decode.NewSession(encode)
	if err != nil {
		return nil, errors.Join(err, encode.Close())
	}
	s := &Session{recogniser: r, encode: encode, decode: decode, mel: mel, silentFrom: r.config.Positions}
	return s, nil
}

// Close frees the memory of the session.
func (s *Session) Close() error {
	return errors.Join(s.decode.Close(), s.encode.Close())
}
