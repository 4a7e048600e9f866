package confirm

import (
	"context"
	_ "embed" // for the weights
	"fmt"

	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/perception/audio"
)

//go:embed weights/verifier.safetensors
var builtin []byte

// Heard is how many samples Stop hears.
const Heard = rows * bucket * 2 * audio.Hop

// The head's shape, as train/voice/verifier.py has it.
const (
	width  = 512 // of whisper-base
	bucket = 2   // rows of the encoder that are averaged
	rows   = 35
	each   = 16
	hidden = 32
)

const (
	// trust is how much of the detector's own opinion counts, in nats of nats.
	trust = 0.5
	// least is from where on the first answer is not that it was none, in nats.
	least = -0.5
)

// Model is what a Confirmer hears with; speech.Session is one, with a draft.
type Model interface {
	// Listen gives Whisper's embeddings of a clip.
	Listen(ctx context.Context, samples []float32) ([]float32, error)
	// Spot says how probable one of phrases is in a clip.
	Spot(ctx context.Context, samples []float32, language string, phrases *speech.Phrases) (speech.Spotted, error)
	Phrases(texts []string) *speech.Phrases
}

// Confirmer decides about hits.
type Confirmer struct {
	model   Model
	phrases *speech.Phrases
	each    layer
	all     layer
	out     layer

	means [rows * width]float32
	mid   [rows * each]float32
	top   [hidden]float32
	last  [1]float32
}

// layer is a product with a bias, w [len(b), inputs].
type layer struct{ w, b []float32 }

// Supported says whether the head fits an encoder of that width.
func Supported(encoderWidth int) bool { return encoderWidth == width }

// New gives a confirmer with the built-in head; model is used by nobody else at the
// same time.
func New(model Model) (*Confirmer, error) { return load(builtin, model) }

func load(weights []byte, model Model) (*Confirmer, error) {
	f, err := checkpoint.ParseSafetensors(weights)
	if err != nil {
		return nil, fmt.Errorf("built-in head for stop words: %w", err)
	}
	f.Path = "built-in head for stop words"
	c := &Confirmer{model: model, phrases: model.Phrases(written)}
	for _, l := range []struct {
		name            string
		layer           *layer
		outputs, inputs int
	}{{"each", &c.each, each, width}, {"all", &c.all, hidden, rows * each}, {"out", &c.out, 1, hidden}} {
		if l.layer.w, err = take(f, l.name+".weight", l.outputs, l.inputs); err != nil {
			return nil, err
		}
		if l.layer.b, err = take(f, l.name+".bias", l.outputs); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func take(f *checkpoint.File, name string, shape ...int) ([]float32, error) {
	t, err := f.Shaped(name, shape...)
	if err != nil {
		return nil, err
	}
	if err := t.Finite(); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	x := make([]float32, t.Len())
	return x, t.Float32(x)
}

// Nats gives by how much a stop word is more probable than none to end in samples,
// Heard of them at audio.Rate up to where the detector found it with that score, as the
// head alone hears it.
func (c *Confirmer) Nats(ctx context.Context, samples []float32, score float32) (float64, error) {
	if len(samples) != Heard {
		return 0, fmt.Errorf("confirm: %d samples, want %d", len(samples), Heard)
	}
	x, err := c.model.Listen(ctx, samples)
	if err != nil {
		return 0, fmt.Errorf("confirm: %w", err)
	}
	if len(x) != rows*bucket*width {
		return 0, fmt.Errorf("confirm: the encoder gave %d numbers, want %d (the head was trained on whisper-base)", len(x), rows*bucket*width)
	}
	return c.judge(x) + trust*logit(score), nil
}

// judge runs the head.
func (c *Confirmer) judge(x []float32) float64 {
	clear(c.means[:])
	for i, v := range x {
		c.means[i/(bucket*width)*width+i%width] += v / bucket
	}
	for r := range rows {
		c.each.apply(c.mid[r*each:(r+1)*each], c.means[r*width:(r+1)*width], true)
	}
	c.all.apply(c.top[:], c.mid[:], true)
	c.out.apply(c.last[:], c.top[:], false)
	return float64(c.last[0])
}

func (l *layer) apply(dst, x []float32, rectify bool) {
	for o := range dst {
		sum := l.b[o]
		for i, w := range l.w[o*len(x) : (o+1)*len(x)] {
			sum += w * x[i]
		}
		if rectify {
			sum = max(0, sum)
		}
		dst[o] = sum
	}
}
