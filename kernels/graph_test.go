package kernels_test

import (
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/ref"
)

// parts are values and weights to make mistakes with.
type parts struct {
	*kernels.Graph
	x, wide, ids, image, state kernels.Value // [n×8], [n×16], [n], [6×6×3], [4×8]
	n                          kernels.Scalar
}

func numbers(shape ...int) *kernels.Weight {
	n := 1
	for _, d := range shape {
		n *= max(d, 0)
	}
	return kernels.NewWeight("w", make([]float32, n), shape...)
}

func newParts() *parts {
	p := &parts{Graph: kernels.NewGraph("g")}
	p.n = p.Scalar("n", 5)
	p.x = p.Input("x", kernels.F32, p.n.Dim(), kernels.N(8))
	p.wide = p.Input("wide", kernels.F32, p.n.Dim(), kernels.N(16))
	p.ids = p.Input("ids", kernels.I32, p.n.Dim())
	p.image = p.Input("image", kernels.U8, kernels.N(6), kernels.N(6), kernels.N(3))
	p.state = p.State("state", kernels.F32, kernels.N(4), kernels.N(8))
	return p
}

// Each mistake is an error that names the graph, the operator and what is wrong.
func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		make func(p *parts)
		want []string
	}{
		"no weight":      {func(p *parts) { p.Add(kernels.MatMul{X: p.x}) }, []string{"MatMul", "no weight"}},
		"columns":        {func(p *parts) { p.Add(kernels.MatMul{X: p.x, W: numbers(4, 9)}) }, []string{"MatMul w", "[4 9]", "9 inputs", "8"}},
		"bias":           {func(p *parts) { p.Add(kernels.MatMul{X: p.x, W: numbers(4, 8), Bias: numbers(5)}) }, []string{"MatMul w", "bias", "want 4"}},
		"residual":       {func(p *parts) { p.Add(kernels.MatMul{X: p.x, W: numbers(4, 8), Residual: p.x}) }, []string{"MatMul w", "residual"}},
		"data too short": {func(p *parts) { p.Add(kernels.MatMul{X: p.x, W: cut(numbers(4, 8))}) }, []string{"MatMul w", "bytes of data, want 128"}},
		"scales missing": {func(p *parts) { p.Add(kernels.MatMul{X: p.x, W: int8Weight(4, 8, 3)}) }, []string{"3 scales for 4 rows"}},
		"shape overflows": {func(p *parts) {
			p.Add(kernels.MatMul{X: p.x, W: &kernels.Weight{Name: "w", Type: kernels.F32, Shape: []int{1 << 40, 1 << 40}}})
		}, []string{"weight w: shape"}},
		"unknown type":   {func(p *parts) { p.Add(kernels.Const{W: &kernels.Weight{Name: "w", Type: 99, Shape: []int{4}}}) }, []string{"Const w", "unknown type"}},
		"integers":       {func(p *parts) { p.Add(kernels.Softmax{X: p.ids}) }, []string{"Softmax", "ids", "not an f32 activation"}},
		"absent":         {func(p *parts) { p.Add(kernels.Softmax{}) }, []string{"Softmax", "operand 0"}},
		"from elsewhere": {func(p *parts) { p.Add(kernels.Activate{X: 999}) }, []string{"Activate", "operand 999"}},
		"ids of floats":  {func(p *parts) { p.Add(kernels.Embed{Table: numbers(3, 8), IDs: p.x}) }, []string{"Embed w", "ids", "i32 input"}},
		"no table":       {func(p *parts) { p.Add(kernels.Embed{IDs: p.ids}) }, []string{"Embed", "no table"}},
		"gain":           {func(p *parts) { p.Add(kernels.Norm{X: p.x, Gain: numbers(9)}) }, []string{"Norm w", "gain", "want 8"}},
		"groups":         {func(p *parts) { p.Add(kernels.Norm{X: p.x, Groups: 3}) }, []string{"Norm", "3 groups"}},
		"heads":          {func(p *parts) { p.Add(kernels.Attention{Q: p.x, K: p.x, V: p.x, Heads: 3, KVHeads: 3}) }, []string{"Attention", "operand Q", "3 heads"}},
		"no heads":       {func(p *parts) { p.Add(kernels.Attention{Q: p.x, K: p.x, V: p.x}) }, []string{"Attention", "0 heads"}},
		"keys":           {func(p *parts) { p.Add(kernels.Attention{Q: p.x, K: p.x, V: p.wide, Heads: 1, KVHeads: 1}) }, []string{"Attention", "K", "V"}},
		"past":           {func(p *parts) { p.Add(kernels.Attention{Q: p.x, K: p.x, V: p.x, Heads: 1, KVHeads: 1, Past: p.n}) }, []string{"Attention", "Past"}},
		"batch":          {func(p *parts) { p.Add(kernels.Attention{Q: p.x, K: p.x, V: p.x, Heads: 1, KVHeads: 1, Batch: 2}) }, []string{"Attention", "2 sequences"}},
		"turns":          {func(p *parts) { p.Add(kernels.RoPE{X: p.x, Positions: p.ids, Heads: 2, Base: 1e4, Dims: 3}) }, []string{"RoPE", "turns 3"}},
		"base":           {func(p *parts) { p.Add(kernels.RoPE{X: p.x, Positions: p.ids, Heads: 2}) }, []string{"RoPE", "base 0"}},
		"store to input": {func(p *parts) { p.Add(kernels.Store{X: p.x, State: p.x}) }, []string{"Store", "not a state"}},
		"store too wide": {func(p *parts) { p.Add(kernels.Store{X: p.wide, State: p.state}) }, []string{"Store", "state"}},
		"store too long": {func(p *parts) { p.Add(kernels.Store{X: p.x, State: p.state}) }, []string{"Store", "≤5×8", "state [4×8]"}},
		"sum of shapes":  {func(p *parts) { p.Add(kernels.Binary{X: p.x, Y: p.wide}) }, []string{"Binary", "≤5×8", "≤5×16"}},
		"conv channels":  {func(p *parts) { p.Add(kernels.Conv1D{X: p.x, W: numbers(4, 7, 3)}) }, []string{"Conv1D w", "operand X"}},
		"conv stride":    {func(p *parts) { p.Add(kernels.Conv1D{X: p.x, W: numbers(4, 8, 3), Stride: -1, Padding: 1}) }, []string{"Conv1D w", "stride -1"}},
		"conv too small": {func(p *parts) { p.Add(kernels.Conv2D{X: p.image, W: numbers(4, 3, 9, 9)}) }, []string{"Conv2D w", "empty"}},
		"pixel factors":  {func(p *parts) { p.Add(kernels.Conv2D{X: p.image, W: numbers(4, 3, 2, 2), PixelScale: []float32{1}}) }, []string{"Conv2D w", "1 pixel factors"}},
		"pool":           {func(p *parts) { p.Add(kernels.MaxPool2D{X: p.image, Kernel: 2, Padding: 2}) }, []string{"MaxPool2D", "padding 2"}},
		"pad varying":    {func(p *parts) { p.Add(kernels.Pad{X: p.x, Left: 1}) }, []string{"Pad", "operand X"}},
		"lstm gates": {func(p *parts) {
			p.Add(kernels.LSTM{X: p.x, WX: numbers(10, 8), WH: numbers(10, 2), H: p.state, C: p.state})
		}, []string{"LSTM w", "four gates"}},
		"concat nothing":   {func(p *parts) { p.Add(kernels.Concat{}) }, []string{"Concat", "0 values"}},
		"concat columns":   {func(p *parts) { p.Add(kernels.Concat{Xs: []kernels.Value{p.x, p.wide}}) }, []string{"Concat", "axis 0"}},
		"two that vary":    {func(p *parts) { p.Add(kernels.Concat{Xs: []kernels.Value{p.x, p.x}}) }, []string{"Concat", "one varying length"}},
		"slice beyond":     {func(p *parts) { p.Add(kernels.Slice{X: p.x, Axis: 1, Start: 4, Len: 5}) }, []string{"Slice", "[4:9]"}},
		"slice a row":      {func(p *parts) { p.Add(kernels.Slice{X: p.x, Len: 1}) }, []string{"Slice", "[0:1]"}}, // of none, perhaps
		"reshape":          {func(p *parts) { p.Add(kernels.Reshape{X: p.x, Shape: kernels.Shape{kernels.N(5), kernels.N(7)}}) }, []string{"Reshape", "5×7"}},
		"too many scalars": {func(p *parts) { tooManyScalars(p) }, []string{"scalar s", "more than 15"}},
		"scalar of none":   {func(p *parts) { p.Scalar("zero", 0) }, []string{"scalar zero", "maximum 0"}},
		"name twice":       {func(p *parts) { p.Input("x", kernels.F32, kernels.N(1)) }, []string{`"x"`, "twice"}},
		"input of halves":  {func(p *parts) { p.Input("h", kernels.F16, kernels.N(1)) }, []string{"input h", "f16"}},
		"state that grows": {func(p *parts) { p.State("s", kernels.F32, p.n.Dim()) }, []string{"state s", "varies"}},
		"negative length":  {func(p *parts) { p.Input("neg", kernels.F32, kernels.N(-1)) }, []string{"neg", "empty or too large"}},
		"huge":             {func(p *parts) { p.Input("huge", kernels.F32, kernels.N(1<<20), kernels.N(1<<20)) }, []string{"huge", "too large"}},
		"five dimensions":  {func(p *parts) { p.Input("five", kernels.F32, make([]kernels.Dim, 5)...) }, []string{"five", "5 dimensions"}},
		"second varies":    {func(p *parts) { p.Input("second", kernels.F32, kernels.N(2), p.n.Dim()) }, []string{"second", "only the first dimension may vary"}},
		"output an input":  {func(p *parts) { p.Output("out", p.x) }, []string{"output out"}},
		"output a store":   {func(p *parts) { storesAnOutput(p) }, []string{"output out", "state"}},
		"nothing written":  {func(*parts) {}, []string{"neither an output nor a state"}},
	} {
		p := newParts()
		c.make(p)
		_, err := kernels.Compile(p.Graph, ref.New(), kernels.Options{})
		if err == nil {
			t.Errorf("%s: compiles", name)
			continue
		}
		for _, want := range append(c.want, "graph g") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %q does not say %q", name, err, want)
			}
		}
	}
}

func cut(w *kernels.Weight) *kernels.Weight {
	w.Data = w.Data[:len(w.Data)-4]
	return w
}

func int8Weight(rows, cols, scales int) *kernels.Weight {
	return &kernels.Weight{Name: "w", Type: kernels.I8, Shape: []int{rows, cols}, Data: make([]byte, rows*cols), Scales: make([]float32, scales)}
}

func tooManyScalars(p *parts) {
	for i := range kernels.MaxScalars {
		p.Scalar("s"+strings.Repeat("s", i), 1)
	}
}

func storesAnOutput(p *parts) {
	row := p.Input("row", kernels.F32, kernels.N(1), kernels.N(8))
	p.Output("out", p.Add(kernels.Store{X: row, State: p.state}))
}

// The first mistake is the one that is told; what follows changes nothing.
func TestFirstMistake(t *testing.T) {
	p := newParts()
	p.Add(kernels.Norm{X: p.x, Groups: 3})
	nodes := len(p.Nodes)
	if v := p.Add(kernels.Softmax{X: p.x}); v != 0 || len(p.Nodes) != nodes {
		t.Errorf("value %d and %d nodes after a mistake", v, len(p.Nodes))
	}
	p.Input("", kernels.F32, kernels.N(1))
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), "Norm") {
		t.Errorf("error %v, want the first, of Norm", err)
	}
}

func TestDim(t *testing.T) {
	g := kernels.NewGraph("dims")
	n := g.Scalar("n", 9)
	var s kernels.Scalars
	for _, c := range []struct {
		d      kernels.Dim
		at     int32
		length int
		most   int
	}{
		{kernels.N(4), 7, 4, 4},
		{n.Dim(), 7, 7, 9},
		{n.Dim().Plus(-3), 2, 0, 6},
		{kernels.Dim{Scalar: n, Mul: 1, Add: 1, Div: 2}, 6, 3, 5},
		{kernels.Dim{}, 3, 0, 0},
	} {
		s[n.ID] = c.at
		if got, most := c.d.At(&s), c.d.Max(); got != c.length || most != c.most {
			t.Errorf("%+v at %d: %d of at most %d, want %d of %d", c.d, c.at, got, most, c.length, c.most)
		}
	}
	if _, err := (kernels.Dim{Scalar: n, Mul: 1, Div: 2}).Times(3); err == nil {
		t.Error("a divided length is multiplied")
	}
}
