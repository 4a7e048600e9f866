package generate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kuai-robot/kuai/fusion/multimodal"
	"github.com/kuai-robot/kuai/fusion/text"
	"github.com/kuai-robot/kuai/fusion/transformer"
	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
)

// Options of a model; the zero value is good.
type Options struct {
	// Context is how many positions a session holds; 0 means 2048, or what the
	// model was trained for if that is less.
	Context int
	// Batch is how many tokens of a prompt are read in one pass; 0 means 64.
	Batch int
	// Cache is the type of keys and values: F32 (also if it is 0), F16 or BF16.
	Cache kernels.DType
	// Adapter is a folder with an adapter of any kind that
	// transformer.Model.Adapt reads, put beside the weights by Open; nil: none.
	Adapter fs.FS
	// Mixed says that prompts may have embeddings among their tokens.
	Mixed bool
	// Cross is gated cross-attention to media in prompts; nil: none.
	Cross *multimodal.Cross
	// Draw lets the backend choose the tokens of answers (without a grammar, top-k, or
	// embeddings and media among tokens), so that a GPU gives one number a token, not
	// the logits. Draws of a seed then differ from those made here, not their
	// probabilities; without a temperature the tokens are the same.
	Draw bool
	// Compile goes to the kernels.
	Compile kernels.Options
}

const (
	defaultContext = 2048
	defaultBatch   = 64
	// scoreRows is how many tokens one pass of a Scorer takes at most, scorePicks
	// how many children of them together.
	scoreRows  = 64
	scorePicks = 8192
)

// Model is a language model compiled for a backend. It is safe for use from
// many goroutines.
type Model struct {
	base      *base
	config    transformer.Config
	tokenizer *text.Tokenizer
	context   int
	batch     int
	prefix    *transformer.Prefix
	next      nextProgram
	score     scoreProgram
	watch     *watchProgram // nil without Options.Cross
	draw      *drawProgram  // nil without Options.Draw
}

// nextProgram reads tokens that follow each other and gives the logits of at
// most one of them.
type nextProgram struct {
	*kernels.Program
	tokens, past, selected kernels.Scalar
	ids, positions, rows   kernels.Value
	logits                 kernels.Value
	states                 []kernels.Value // keys and values of all layers
	// isToken [tokens, 1] is 1 where a row is that of an id, and 0 where it is that
	// of given [tokens, Width]; both are absent without Options.Mixed.
	isToken, given kernels.Value
	media          mediaInputs
}

// scoreProgram reads tokens that see what a mask says, and gives the
// log-probability of chosen tokens after chosen rows.
type scoreProgram struct {
	*kernels.Program
	tokens, past, selected, picks kernels.Scalar
	ids, positions, rows          kernels.Value
	mask, local                   kernels.Value
	pickRows, pickTokens          kernels.Value
	logp                          kernels.Value
	media                         mediaInputs
}

// ErrAdapter says that it is Options.Adapter that Open could not load.
var ErrAdapter = errors.New("cannot put the adapter")

// Open loads the model at path for backend: a GGUF file, or a folder in the
// layout of Hugging Face (config.json, tokenizer.json, safetensors).
func Open(path string, backend kernels.Backend, o Options) (*Model, error) {
	f, err := checkpoint.Open(path)
	if err != nil {
		return nil, err
	}
	m, t, err := read(f, path)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if o.Adapter != nil {
		if err := m.Adapt(o.Adapter); err != nil {
			return nil, errors.Join(fmt.Errorf("%w on %s: %w", ErrAdapter, path, err), f.Close())
		}
	}
	model, err := New(m, t, backend, o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	model.base.file = f
	return model, nil
}

func read(f *checkpoint.File, path string) (*transformer.Model, *text.Tokenizer, error) {
	if len(f.Meta.Keys()) > 0 {
		t, err := text.FromGGUF(f.Meta)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", path, err)
		}
		m, err := transformer.FromGGUF(f)
		return m, t, err
	}
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		path = filepath.Dir(path)
	}
	config, err := os.ReadFile(filepath.Join(path, "config.json"))
	if err != nil {
		return nil, nil, fmt.Errorf("model configuration: %w", err)
	}
	t, err := text.FromFolder(path)
	if err != nil {
		return nil, nil, err
	}
	m, err := transformer.FromHuggingFace(f, config)
	return m, t, err
}

// New compiles a decoder for backend. The tokenizer may be nil: Generate then
// gives no text. The weights must not change while a model of them is open.
func New(m *transformer.Model, t *text.Tokenizer, backend kernels.Backend, o Options) (*Model, error) {
	if o.Context == 0 {
		o.Context = min(defaultContext, m.Config.Context)
	}
	if o.Batch == 0 {
		o.Batch = defaultBatch
	}
	if o.Cache == kernels.None {
		o.Cache = kernels.F32
	}
	o.Batch = min(o.Batch, o.Context)
	switch {
	case o.Context < 1 || o.Context > m.Config.Context:
		return nil, fmt.Errorf("context of %d positions, the model was trained for 1 to %d", o.Context, m.Config.Context)
	case o.Batch < 1:
		return nil, fmt.Errorf("batch of %d tokens, want at least 1", o.Batch)
	case o.Cross != nil && o.Cross.Fits(m.Config.Width, m.Config.Layers()) != nil:
		return nil, o.Cross.Fits(m.Config.Width, m.Config.Layers())
	case t != nil && t.Len() > m.Config.Vocab:
		return nil, fmt.Errorf("the tokenizer has %d tokens, the embedding only %d", t.Len(), m.Config.Vocab)
	}
	return (&base{model: m, tokenizer: t, backend: backend, options: o}).compile(m)
}

func (model *Model) compileNext(m *transformer.Model, backend kernels.Backend, o Options) (err error) {
	g, p := kernels.NewGraph(m.Config.Family+" next"), &model.next
	p.tokens, p.past, p.selected = g.Scalar("tokens", o.Batch), g.Scalar("past", o.Context), g.Scalar("selected", 1)
	p.ids = g.Input("ids", kernels.I32, p.tokens.Dim())
	p.positions = g.Input("positions", kernels.I32, p.tokens.Dim())
	p.rows = g.Input("rows", kernels.I32, p.selected.Dim())
	x := m.Embed(g, p.ids)
	if o.Mixed {
		x = p.mix(g, x, m.Config.Width)
	}
	cache := transformer.Cache{Rows: o.Context, Type: o.Cache, Past: p.past, Positions: p.positions}
	cache.Before = p.media.declare(g, o, p.tokens)
	x = m.Blocks(g, x, cache)
	p.logits = m.Head(g, g.Add(kernels.Gather{X: x, Rows: p.rows}))
	g.Output("logits", p.logits)
	for v := range kernels.Value(g.Values()) {
		if info := g.Info(v); info.Kind == kernels.IsState && !strings.HasPrefix(info.Name, "media.") {
			p.states = append(p.states, v)
		}
	}
	p.Program, err = kernels.Compile(g, backend, o.Compile)
	return err
}

func (model *Model) compileScore(m *transformer.Model, backend kernels.Backend, o Options) (err error) {
	rows := min(scoreRows, o.Context)
	g, p := kernels.NewGraph(m.Config.Family+" score"), &model.score
	p.tokens, p.past, p.selected = g.Scalar("tokens", rows), g.Scalar("past", o.Context), g.Scalar("selected", rows)
	p.picks = g.Scalar("picks", scorePicks)
	p.ids = g.Input("ids", kernels.I32, p.tokens.Dim())
	p.positions = g.Input("positions", kernels.I32, p.tokens.Dim())
	p.rows = g.Input("rows", kernels.I32, p.selected.Dim())
	p.pickRows = g.Input("pick rows", kernels.I32, p.picks.Dim())
	p.pickTokens = g.Input("pick tokens", kernels.I32, p.picks.Dim())
	p.mask = g.Input("mask", kernels.U8, p.tokens.Dim(), kernels.N(o.Context))
	if m.Config.Windowed() {
		p.local = g.Input("local mask", kernels.U8, p.tokens.Dim(), kernels.N(o.Context))
	}
	x := m.Blocks(g, m.Embed(g, p.ids), transformer.Cache{Rows: o.Context, Type: o.Cache, Past: p.past,
		Positions: p.positions, Mask: p.mask, LocalMask: p.local, Before: p.media.declare(g, o, p.tokens)})
	logits := m.Head(g, g.Add(kernels.Gather{X: x, Rows: p.rows}))
	p.logp = g.Add(kernels.LogProb{X: logits, Rows: p.pickRows, Cols: p.pickTokens})
	g.Output("logp", p.logp)
	p.Program, err = kernels.Compile(g, backend, o.Compile)
	return err
}

// Tokenizer gives the tokenizer of the model's file.
func (model *Model) Tokenizer() *text.Tokenizer { return model.tokenizer }

// Config gives the shape of the decoder.
func (model *Model) Config() transformer.Config { return model.config }

// Context is how many tokens a session holds.
func (model *Model) Context() int { return model.context - model.ahead() }

// ahead is how many positions a prefix takes.
func (model *Model) ahead() int {
	if model.prefix == nil {
		return 0
	}
	return model.prefix.Rows
}

// Close frees the weights once the last session is closed, those that adapted
// models share once the last of them is.
func (model *Model) Close() error {
	err := errors.Join(model.next.Close(), model.score.Close(), model.draw.close(), model.base.release())
	if model.watch != nil {
		err = errors.Join(err, model.watch.Close())
	}
	return err
}
