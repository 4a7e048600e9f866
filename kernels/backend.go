package kernels

// Precision is how matrix products compute. Everything else computes in f32.
type Precision uint8

// Precisions.
const (
	// Stored multiplies in the type the weight has: f32 and f16 in f32, bf16 in
	// bf16 pairs, i8 and blocks in int8 with activations scaled per 32 (blocks)
	// or per row (i8).
	Stored Precision = iota
	// Float32 decodes every weight to f32.
	Float32
	// BFloat16 rounds weights and activations of products to bf16 and sums in f32.
	BFloat16
	// Int8 rounds weights to 8 bits with a scale per output, activations with a
	// scale per row; weights already in blocks stay as they are.
	Int8
)

func (p Precision) String() string {
	return [...]string{"stored", "f32", "bf16", "int8"}[p&3]
}

// Options of Compile.
type Options struct {
	Precision Precision
	// Keep names weights whose product stays f32 although Precision is lower:
	// the layers where a calibration found the loss.
	Keep map[string]bool
	// Ranges fixes the largest magnitude of the input of a weight's product for
	// Int8, as a calibration measured it; a product that is not named takes its
	// Weight.Range, or else scales each row by its own largest magnitude. A range
	// of 0 asks for the latter.
	Ranges map[string]float32
	// Calibrate, if it is set, is told the inputs of all products with every Run.
	// They are then values of their own, which costs memory and time.
	Calibrate *Calibration
}

// Range is the largest magnitude that a calibration found in the input of this
// weight's product: that of Ranges, else the one beside the weight; 0: none did.
func (o Options) Range(w *Weight) float32 {
	if r, ok := o.Ranges[w.Name]; ok {
		return r
	}
	return w.Range
}

// Of is the precision of a product with this weight.
func (o Options) Of(w *Weight) Precision {
	switch {
	case o.Keep[w.Name]:
		return Float32
	case o.Precision == Int8 && w.Type.Quantised():
		return Stored
	case o.Precision == Stored && w.Type == BF16:
		return BFloat16
	case o.Precision == Stored && w.Type == I8:
		return Int8
	case o.Precision == Stored && !w.Type.Quantised():
		return Float32
	}
	return o.Precision
}

// Backend builds executables. Build may be called from many goroutines. The
// graph has been checked and does not change any more.
type Backend interface {
	Name() string
	Build(g *Graph, options Options) (Executable, error)
}

// Executable is a compiled graph with packed weights.
type Executable interface {
	// NewInstance allocates what one session needs. Its states are those of an
	// instance in share where name, type and size agree.
	NewInstance(share []Instance) (Instance, error)
	Close() error
}

// Instance is the memory of one session. One goroutine at a time.
type Instance interface {
	// Memory is the host memory of an input, output or state, at its largest
	// size; rows are contiguous. It stays where it is until Close.
	Memory(v Value) []byte
	// MoveRow copies a row of a state over another one, where the state lies.
	MoveRow(state Value, to, from int) error
	// Run computes all nodes for scalars that have been checked.
	Run(scalars *Scalars) error
	Close() error
}
