package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/kuai-robot/kuai/fusion/generate"
	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/fusion/vla"
	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/models"
	"github.com/kuai-robot/kuai/internal/turns"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cuda"
	"github.com/kuai-robot/kuai/kernels/cuda/roofline"
	"github.com/kuai-robot/kuai/perception/encoder/vision"
	"github.com/kuai-robot/kuai/policy/learned"
	"github.com/kuai-robot/kuai/robot"
)

// CUDAFigures are what is known of the CUDA backend without a GPU.
type CUDAFigures struct {
	Kernels  []KernelFigure
	Forwards []ForwardFigure
	Skipped  []error // models that are not installed
}

// KernelFigure is a kernel on a card. What it moves and computes is the sum over
// one run of each forward below.
type KernelFigure struct {
	Card      roofline.Card
	Name      string
	Usage     cuda.Usage
	Shared    int // with what its launches add, at most
	Occupancy float64
	Limit     string // of the occupancy
	Sum       roofline.KernelSum
}

// ForwardFigure is one run of a model on a card, predicted.
type ForwardFigure struct {
	Card roofline.Card
	Name string
	roofline.Forward
}

// forward is a model that is run on paper; prepare gives how.
type forward struct {
	name string
	// run uses the model so that one recording is run; last says that the one
	// before was only to get there.
	run func(ctx context.Context, b kernels.Backend) error
	// pick is which of the recordings counts, from the end.
	pick int
	// model is what has to be installed for it, "" for nothing.
	model string
}

// installed says whether the model of a forward is there.
func (m *forward) installed() bool {
	if m.model == "" {
		return true
	}
	store, err := models.NewStore()
	if err == nil {
		_, err = store.Find(m.model)
	}
	return err == nil
}

// CUDAStatic plans models for each card, on paper.
func CUDAStatic(ctx context.Context) (f *CUDAFigures, err error) {
	known, err := cuda.Kernels()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "kuai-tower-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := turns.WriteTower(dir); err != nil {
		return nil, err
	}
	f = &CUDAFigures{}
	missing := map[string]bool{}
	for _, card := range roofline.Cards {
		var all []cuda.Command
		for _, m := range forwards(dir) {
			launches, err := onPaper(ctx, card, m)
			if err != nil {
				if !missing[m.name] {
					missing[m.name] = true
					f.Skipped = append(f.Skipped, fmt.Errorf("%s: %w", m.name, err))
				}
				continue
			}
			all = append(all, launches...)
			f.Forwards = append(f.Forwards, ForwardFigure{card, m.name, card.Sum(launches)})
		}
		f.addKernels(card, known, card.ByKernel(all))
	}
	return f, nil
}

func (f *CUDAFigures) addKernels(card roofline.Card, known map[string]cuda.Kernel, sums map[string]roofline.KernelSum) {
	var names []string
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		k := KernelFigure{Card: card, Name: name, Usage: card.Usage(known[name]), Sum: sums[name]}
		k.Shared = k.Usage.Shared + k.Sum.Shared
		k.Occupancy, k.Limit = card.Occupancy(known[name], k.Sum.Shared)
		f.Kernels = append(f.Kernels, k)
	}
}

// onPaper gives the launches of one run of a model.
func onPaper(ctx context.Context, card roofline.Card, m forward) ([]cuda.Command, error) {
	paper := roofline.NewPaper(card)
	if err := m.run(ctx, cuda.NewBackend("cuda", paper)); err != nil {
		return nil, err
	}
	runs := paper.Runs()
	if len(runs) < m.pick {
		return nil, fmt.Errorf("%d runs, want %d", len(runs), m.pick)
	}
	return runs[len(runs)-m.pick], nil
}

// forwards are the models that a robot uses, at the precision for a GPU.
func forwards(tower string) []forward {
	half := kernels.Options{Precision: kernels.BFloat16}
	return []forward{
		{"clip-vit-b32.bf16", func(ctx context.Context, b kernels.Backend) error { return paperTower(ctx, b, tower, half) }, 1, ""},
		{"clip-vit-b32.int8", func(ctx context.Context, b kernels.Backend) error {
			return paperTower(ctx, b, tower, kernels.Options{Precision: kernels.Int8})
		}, 1, ""},
		{"whisper-base.encode", func(ctx context.Context, b kernels.Backend) error { return paperSpeech(ctx, b) }, 2, speechModel},
		{"whisper-base.token", func(ctx context.Context, b kernels.Backend) error { return paperSpeech(ctx, b) }, 1, speechModel},
		{"smollm2-135m.prompt64", func(ctx context.Context, b kernels.Backend) error { return paperLanguage(ctx, b, 64) }, 1, config.BuiltInModel},
		{"smollm2-135m.token", func(ctx context.Context, b kernels.Backend) error { return paperLanguage(ctx, b, 65) }, 1, config.BuiltInModel},
		{"vla", paperPolicy, 1, ""},
	}
}

func paperTower(ctx context.Context, b kernels.Backend, dir string, o kernels.Options) error {
	m, err := vision.Open(dir, b, vision.Options{Compile: o})
	if err != nil {
		return err
	}
	s, err := m.NewSession()
	if err != nil {
		return errors.Join(err, m.Close())
	}
	_, err = s.Encode(ctx, &robot.Frame{Width: 224, Height: 224, Pixels: make([]byte, 3*224*224)})
	return errors.Join(err, s.Close(), m.Close())
}

// paperSpeech hears thirty seconds and writes one token.
func paperSpeech(ctx context.Context, b kernels.Backend) error {
	store, err := models.NewStore()
	if err != nil {
		return err
	}
	dir, err := store.Find(speechModel)
	if err != nil {
		return err
	}
	r, err := speech.Open(dir, b, speech.Options{Tokens: 1, Plain: true})
	if err != nil {
		return err
	}
	s, err := r.NewSession()
	if err != nil {
		return errors.Join(err, r.Close())
	}
	_, err = s.Transcribe(ctx, make([]float32, 29*16000), "en")
	return errors.Join(err, s.Close(), r.Close())
}

// paperLanguage reads a prompt in parts of 64 tokens.
func paperLanguage(ctx context.Context, b kernels.Backend, tokens int) error {
	store, err := models.NewStore()
	if err != nil {
		return err
	}
	path, err := store.FindFile(config.BuiltInModel)
	if err != nil {
		return err
	}
	m, err := generate.Open(path, b, generate.Options{Context: planContext, Cache: kernels.F16})
	if err != nil {
		return err
	}
	s, err := m.NewSession()
	if err != nil {
		return errors.Join(err, m.Close())
	}
	prompt := make([]int32, tokens)
	for i := range prompt {
		prompt[i] = int32(i + 10)
	}
	_, err = s.Logits(ctx, prompt)
	return errors.Join(err, s.Close(), m.Close())
}

// paperPolicy runs the policy that comes with kuai.
func paperPolicy(ctx context.Context, b kernels.Backend) error {
	folder := learned.Weights()
	c, err := vla.ReadConfig(folder)
	if err != nil {
		return err
	}
	p, err := vla.OpenFS(folder, &robot.Description{Name: c.Robot}, b, kernels.Options{})
	if err != nil {
		return err
	}
	s, err := p.NewSession(1)
	if err != nil {
		return errors.Join(err, p.Close())
	}
	picture := &robot.Frame{Width: 160, Height: 120, Pixels: make([]byte, 3*160*120)}
	_, err = s.Predict(ctx, &vla.Input{Front: picture, Wrist: picture, Phrase: "pick up the red block"})
	return errors.Join(err, s.Close(), p.Close())
}

// Print writes tables for a person.
func (f *CUDAFigures) Print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, card := range roofline.Cards {
		fmt.Fprintf(w, "%s, kernels over one run of each model below\n", card.Name)
		fmt.Fprintln(w, "kernel\tregisters\tshared\tspills\toccupancy\tbound by\tlaunches\tMB\tGop\troofline us\t")
		for _, k := range f.Kernels {
			if k.Card.Name == card.Name {
				fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%.0f %%\t%s\t%d\t%.2f\t%.3f\t%.1f\t\n", k.Name, k.Usage.Registers, k.Shared, k.Usage.Spills,
					100*k.Occupancy, k.Limit, k.Sum.Launches, k.Sum.Bytes/1e6, k.Sum.Operations/1e9, float64(k.Sum.Time.Nanoseconds())/1e3)
			}
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "predicted: model\tcard\tlaunches\tMB\tGop\tms\tin tiles\tif of 128\t")
	for _, m := range f.Forwards {
		fmt.Fprintf(w, "%s\t%s\t%d\t%.1f\t%.2f\t%.3f\t%.3f\t%.3f\t\n", m.Name, m.Card.Name, m.Launches, m.Bytes/1e6, m.Operations/1e9,
			m.Time.Seconds()*1e3, m.Tiled.Seconds()*1e3, m.Wide.Seconds()*1e3)
	}
	for _, err := range f.Skipped {
		fmt.Fprintf(w, "left out: %v\n", err)
	}
	return w.Flush()
}

// Rows gives the same as figures.
func (f *CUDAFigures) Rows() (rows []bench.Row) {
	for _, k := range f.Kernels {
		name := "cuda." + k.Card.Key + "." + k.Name
		occupancy := bench.Row{Name: name + ".occupancy", Value: k.Occupancy}
		if strings.HasPrefix(k.Name, "gemm") || strings.HasPrefix(k.Name, "matvec") || strings.HasPrefix(k.Name, "attention") {
			occupancy.Bar = ">=0.5"
		}
		rows = append(rows, occupancy,
			bench.Row{Name: name + ".registers", Value: float64(k.Usage.Registers)},
			bench.Row{Name: name + ".shared", Value: float64(k.Shared) / 1e6, Unit: "MB"},
			bench.Row{Name: name + ".spills", Value: float64(k.Usage.Spills), Bar: "<=0"},
			bench.Row{Name: name + ".roofline", Value: k.Sum.Time.Seconds() * 1e3, Unit: "ms"})
	}
	for _, m := range f.Forwards {
		name := "cuda." + m.Card.Key + ".predicted." + m.Name
		rows = append(rows,
			bench.Row{Name: name, Value: m.Time.Seconds() * 1e3, Unit: "ms"},
			bench.Row{Name: name + ".tiled", Value: m.Tiled.Seconds() * 1e3, Unit: "ms"},
			bench.Row{Name: name + ".tiles128", Value: m.Wide.Seconds() * 1e3, Unit: "ms"},
			bench.Row{Name: name + ".launches", Value: float64(m.Launches)})
	}
	return rows
}
