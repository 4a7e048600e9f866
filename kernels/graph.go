package kernels

import (
	"errors"
	"fmt"
)

// Value names a result, input or state within one Graph; the zero Value is
// absent.
type Value int32

// Kind says where a value comes from.
type Kind uint8

// Kinds of values.
const (
	Computed Kind = iota
	IsInput
	IsState
)

// Info describes a value.
type Info struct {
	Name  string // of inputs, states and outputs
	Kind  Kind
	Type  DType
	Shape Shape
	Node  int // index of the node that computes it
}

// Node is an operator and its result.
type Node struct {
	Op  Op
	Out Value
}

// NamedScalar is a scalar as it was declared.
type NamedScalar struct {
	Name string
	Scalar
}

// Graph is a list of operators in the order in which they run. It is built by
// one goroutine and must not change after Compile.
type Graph struct {
	Name    string
	Nodes   []Node
	Outputs []Value
	Scalars []NamedScalar
	values  []Info // element 0 is the absent value
	names   map[string]bool
	err     error
}

// NewGraph makes an empty graph; the name begins every error about it.
func NewGraph(name string) *Graph {
	return &Graph{Name: name, values: make([]Info, 1), names: map[string]bool{}}
}

// Err is the first mistake made, nil if none.
func (g *Graph) Err() error { return g.err }

// Info describes v. The absent value has an empty shape.
func (g *Graph) Info(v Value) Info {
	if v < 0 || int(v) >= len(g.values) {
		return Info{}
	}
	return g.values[v]
}

// Shape is the shape of v.
func (g *Graph) Shape(v Value) Shape { return g.Info(v).Shape }

// Values is one more than the largest Value.
func (g *Graph) Values() int { return len(g.values) }

// Scalar declares a length or position from 0 to max.
func (g *Graph) Scalar(name string, max int) Scalar {
	if len(g.Scalars) == MaxScalars {
		g.fail(fmt.Errorf("scalar %s: more than %d scalars", name, MaxScalars))
		return Scalar{}
	}
	if max < 1 || max > maxActivation {
		g.fail(fmt.Errorf("scalar %s: maximum %d", name, max))
		return Scalar{}
	}
	g.name("scalar", name)
	s := Scalar{ID: uint8(len(g.Scalars) + 1), Max: int32(max)}
	g.Scalars = append(g.Scalars, NamedScalar{name, s})
	return s
}

// Input declares what the session's owner fills before each Run.
func (g *Graph) Input(name string, t DType, shape ...Dim) Value {
	if t != F32 && t != I32 && t != U8 {
		g.fail(fmt.Errorf("input %s: type %v, want f32, i32 or u8", name, t))
	}
	return g.declare(IsInput, name, t, shape)
}

// State declares what outlives a Run, zero at first. f16 and bf16 halve the
// size of a cache.
func (g *Graph) State(name string, t DType, shape ...Dim) Value {
	if t != F32 && t != F16 && t != BF16 {
		g.fail(fmt.Errorf("state %s: type %v, want f32, f16 or bf16", name, t))
	}
	for _, d := range shape {
		if !d.Static() {
			g.fail(fmt.Errorf("state %s: shape %v varies", name, Shape(shape)))
		}
	}
	return g.declare(IsState, name, t, shape)
}

func (g *Graph) declare(kind Kind, name string, t DType, shape Shape) Value {
	if err := shape.check(); err != nil {
		g.fail(fmt.Errorf("%s: %w", name, err))
	}
	g.name("value", name)
	g.values = append(g.values, Info{Name: name, Kind: kind, Type: t, Shape: shape, Node: -1})
	return Value(len(g.values) - 1)
}

func (g *Graph) name(what, name string) {
	key := what + " " + name
	if name == "" || g.names[key] {
		g.fail(fmt.Errorf("%s %q is empty or declared twice", what, name))
	}
	g.names[key] = true
}

// Add appends an operator and gives its result.
func (g *Graph) Add(op Op) Value {
	if g.err != nil {
		return 0
	}
	for _, v := range op.operands() {
		if v <= 0 || int(v) >= len(g.values) {
			g.fail(fmt.Errorf("%s: operand %d is not a value of this graph", op.named(), v))
			return 0
		}
	}
	shape, err := op.infer(g)
	if err == nil {
		err = shape.check()
	}
	if err != nil {
		g.fail(fmt.Errorf("%s: %w", op.named(), err))
		return 0
	}
	t := F32
	switch op := op.(type) {
	case Store:
		t = g.Info(op.State).Type
	case Reshape:
		t = g.Info(op.X).Type
	case Slice:
		t = g.Info(op.X).Type
	case Resize:
		t = U8
	case Sample:
		t = I32
	}
	g.Nodes = append(g.Nodes, Node{Op: op})
	g.values = append(g.values, Info{Kind: Computed, Type: t, Shape: shape, Node: len(g.Nodes) - 1})
	out := Value(len(g.values) - 1)
	g.Nodes[len(g.Nodes)-1].Out = out
	return out
}

// Output names a value that can be read after Run.
func (g *Graph) Output(name string, v Value) {
	if v <= 0 || int(v) >= len(g.values) || g.values[v].Kind != Computed {
		g.fail(fmt.Errorf("output %s: not the result of an operator", name))
		return
	}
	if _, ok := g.Nodes[g.values[v].Node].Op.(Store); ok {
		g.fail(fmt.Errorf("output %s: is a state; read it with Session.State", name))
		return
	}
	g.name("value", name)
	g.values[v].Name = name
	g.Outputs = append(g.Outputs, v)
}

func (g *Graph) fail(err error) {
	if g.err == nil {
		g.err = fmt.Errorf("graph %s: %w", g.Name, err)
	}
}

// check is what Compile asks before it starts.
func (g *Graph) check() error {
	if g.err != nil {
		return g.err
	}
	if len(g.Outputs) == 0 && !g.stores() {
		return fmt.Errorf("graph %s: %w", g.Name, errors.New("neither an output nor a state is written"))
	}
	return nil
}

func (g *Graph) stores() bool {
	for _, n := range g.Nodes {
		switch n.Op.(type) {
		case Store, LSTM:
			return true
		}
	}
	return false
}
