package cuda

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/plan"
)

// value is a graph's value, or one that lowering adds after them.
type value = plan.Value

// align is that of the driver's allocations: whole lines of the cache.
const align = 256

// work is what a launch does. load puts constants and weights on the device;
// command makes the launch for lengths up to the recorder's bounds.
type work interface {
	load(e *executable) error
	command(r *recorder) Command
}

// op is a launch.
type op struct {
	name string // for errors
	work work
}

// lowering is a graph as launches, in the order in which they run.
type lowering struct {
	*plan.Lowering
	device Device
	ops    []op
}

// rules are what the kernels do at once. Each product of a norm normalises its rows
// itself: a launch more would cost more than to read them again.
var rules = plan.Rules{
	Form: func(w *kernels.Weight, p kernels.Precision, windows bool) plan.Form {
		return plan.Form(plan.Kind(w, p, windows))
	},
	Group:    func(f plan.Form) plan.Form { return f },
	Segments: mostSegments, Norms: true, Resize: true, Turns: mostTurns,
}

func lower(g *kernels.Graph, options kernels.Options, device Device) (*lowering, error) {
	planned, err := plan.Lower(g, options, rules)
	if err != nil {
		return nil, err
	}
	l := &lowering{Lowering: planned, device: device}
	if err := l.Schedule(); err != nil {
		return nil, err
	}
	for _, s := range l.Steps {
		o, err := l.launch(s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.name, err)
		}
		l.ops = append(l.ops, o)
	}
	return l, nil
}

// launch makes the launch of a step, with the buffers that it needs.
func (l *lowering) launch(s *plan.Step) (o op, err error) {
	named := func(format string, v value, args ...any) string {
		return fmt.Sprintf(format+" %v", append(args, l.Info(v).Shape)...)
	}
	switch w := s.Work.(type) {
	case *plan.Product:
		return op{l.nameOf(w), l.product(w, s)}, nil
	case plan.Table:
		return op{named("RoPE table", w.To), &turnTable{Table: w}}, nil
	case *plan.Turn:
		return op{named("RoPE", w.Turns[0].X), &turn{w}}, nil
	case plan.Keep:
		return op{"Store " + l.Info(w.To).Name, &copyRows{from: w.From, to: w.To, after: kernels.N(0), row: w.Row}}, nil
	case plan.Copy:
		return op{named("Copy", w.To), &copyRows{from: w.From, to: w.To, after: w.After}}, nil
	case plan.PadRows:
		return op{named("Pad", w.To), &padRows{w}}, nil
	case plan.Windows:
		return op{named("Conv2D %s", w.To, w.W.Name), newWindows(w)}, nil
	case plan.Attend:
		a, err := l.attention(w, s)
		return op{named("Attention of %v keys", w.To, w.Keys), a}, err
	case plan.Cells:
		return op{named("LSTM %s", w.To, w.WX.Name), newCells(w)}, nil
	case plan.Plain:
		o.name = named("%s", w.To, kernels.NameOf(w.Op))
		o.work, err = l.plain(w, s)
		return o, err
	}
	return o, fmt.Errorf("%T is not a step that cuda knows", s.Work)
}

// nameOf tells a product by its input and its matrices.
func (l *lowering) nameOf(p *plan.Product) string {
	name := fmt.Sprintf("MatMul %v·%d", p.Rows, p.Cols)
	for _, s := range p.Segments {
		name += fmt.Sprintf(" %s %v", s.Key.Weight.Name, s.Key.Weight.Shape)
	}
	return name
}

// writtenOnly says whether an output lies by itself and no launch reads it: on a device
// that shares the host's memory it is then written where the host reads it, while what
// launches read again is better off where the device's caches keep it.
func (l *lowering) writtenOnly(v value) bool {
	if l.Places[v].Root != v || l.Info(v).Kind != kernels.Computed || l.Consts[v] != nil {
		return false
	}
	for _, s := range l.Steps {
		for _, read := range s.Reads {
			if l.Places[read].Root == v {
				return false
			}
		}
	}
	return true
}

// plain makes the launch of an operator that is computed as it stands.
func (l *lowering) plain(p plan.Plain, s *plan.Step) (work, error) {
	switch op := p.Op.(type) {
	case kernels.Embed:
		return &embedRows{Embed: op, to: p.To}, nil
	case kernels.Gather:
		return &gather{op, p.To}, nil
	case kernels.Softmax:
		return &softmax{op, p.To}, nil
	case kernels.LogProb:
		return &logProb{op, p.To}, nil
	case kernels.Sample:
		return l.sample(op, p.To, s), nil
	case kernels.Resize:
		return &resizeBytes{op, p.To}, nil
	case kernels.LogPower:
		return &logPower{op, p.To}, nil
	case kernels.Activate:
		return &activateEach{op, p.To}, nil
	case kernels.Binary:
		return &binaryEach{op, p.To}, nil
	case kernels.MeanRows:
		return &meanRows{op, p.To}, nil
	case kernels.Norm:
		return &normRows{normOf{Norm: op}, p.To}, nil
	case kernels.MaxPool2D:
		return &maxPool{op, p.To}, nil
	}
	return nil, fmt.Errorf("%T is not an operator that cuda knows", p.Op)
}

// scratch adds a buffer that lives while a step runs.
func (l *lowering) scratch(s *plan.Step, bytes int) value {
	v := l.Buffer(bytes)
	s.Scratch = append(s.Scratch, v)
	return v
}
