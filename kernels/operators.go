package kernels

import "reflect"

// Op is one of the operator structs of this file.
type Op interface {
	// infer checks the operands and gives the type and shape of the result.
	infer(g *Graph) (Shape, error)
	// operands are the values read, without the absent ones.
	operands() []Value
	// named is the operator with the weight that tells where it is.
	named() string
}

// Operands lists the values that an operator reads, without the absent ones.
func Operands(op Op) []Value { return op.operands() }

// Weights lists the weights of an operator, without the absent ones.
func Weights(op Op) (out []*Weight) {
	fields := reflect.ValueOf(op)
	for i := range fields.NumField() {
		if w, ok := fields.Field(i).Interface().(*Weight); ok && w != nil {
			out = append(out, w)
		}
	}
	return out
}

// NameOf is an operator's name for errors: "MatMul layers.0.wq".
func NameOf(op Op) string { return op.named() }

// Activation is a function of one number.
type Activation uint8

// Activations.
const (
	Identity  Activation = iota
	GELU                 // x·Φ(x), by erf (arXiv 1606.08415)
	GELUTanh             // its tanh approximation
	QuickGELU            // x·σ(1.702x), of CLIP
	SiLU                 // x·σ(x)
	ReLU
	Sigmoid
	Tanh
)

// MatMul is Act(X·Wᵀ + Bias) + Residual: X [rows, K], W [N, K], Bias [N],
// Residual [rows, N], result [rows, N].
type MatMul struct {
	X        Value
	W        *Weight
	Bias     *Weight // may be nil
	Act      Activation
	Residual Value // may be absent
}

// Embed takes rows of a table: Table [V, D], IDs an i32 input [rows], result
// [rows, D] times Scale (0 means 1). An id outside the table is an error of Run.
type Embed struct {
	Table *Weight
	IDs   Value
	Scale float32
}

// Gather takes rows of a value: X [rows, D], Rows an i32 input [n], result [n, D].
type Gather struct {
	X, Rows Value
}

// Const is a weight as a value: [rows, cols], a vector as one row.
type Const struct {
	W *Weight
}

// NormKind says what Norm divides by.
type NormKind uint8

// Kinds of Norm.
const (
	Layer NormKind = iota // (x−mean)/√(var+ε) (arXiv 1607.06450)
	RMS                   // x/√(mean(x²)+ε) (arXiv 1910.07467)
	L2                    // x/max(‖x‖, ε)
)

// Norm normalises each row of X, or each of Groups equal parts of a row, then
// multiplies by GainOffset+Gain and adds Bias; both are [cols/Groups] and may
// be nil (1 and 0).
type Norm struct {
	X          Value
	Kind       NormKind
	Gain, Bias *Weight
	GainOffset float32 // Gemma stores gain−1
	Epsilon    float32
	Groups     int // 0 means 1; the number of heads for norms of queries and keys
}

// RoPE turns pairs of each head's channels by position·Base^(−2i/Dims)
// (arXiv 2104.09864): X [rows, Heads*HeadDim], Positions an i32 input [rows].
type RoPE struct {
	X, Positions Value
	Heads        int
	Base         float32
	Dims         int     // leading channels of a head that turn; 0 means all
	Interleaved  bool    // pairs (2i, 2i+1) instead of (i, i+Dims/2)
	Factors      *Weight // may be nil; [Dims/2] divides the frequencies
	Scale        float32 // multiplies the position; 0 means 1
}

// Store writes the rows of X to a state from row At on and gives the state as
// its result, so that what reads it comes after.
type Store struct {
	X, State Value
	At       Scalar
}

// Attention is softmax(Scale·Q·Kᵀ)·V per head (arXiv 1706.03762); a group of
// Heads/KVHeads query heads shares a key head. Q [rows, Heads*HeadDim], K and V
// [keys, KVHeads*HeadDim], result like Q.
//
// Where K and V are states, the keys are their first Past+rows rows (what this
// run stored included), or the first Length rows where Length is given (cross
// attention). Otherwise they are all rows of K.
type Attention struct {
	Q, K, V        Value
	Heads, KVHeads int
	Scale          float32 // 0 means 1/√HeadDim
	Causal         bool    // query i sees keys 0..Past+i
	Window         int     // and of these the last Window; 0 means all
	Past, Length   Scalar
	Batch          int     // rows and keys are this many sequences of equal length; 0 means 1
	SoftCap        float32 // scores become SoftCap·tanh(score/SoftCap); 0 means none
	Mask           Value   // may be absent; u8 input [rows, rows of K], 0 hides a key, besides Causal
}

// Softmax normalises each row of X to probabilities, or to their logarithms.
type Softmax struct {
	X   Value
	Log bool
}

// LogProb is the log-softmax of selected logits: X [rows, V]; Rows and Cols
// are i32 inputs [n]; result [n, 1]. The full rows are never written.
type LogProb struct {
	X, Rows, Cols Value
}

// Sample chooses a token after each row of logits: X [rows, V], result i32
// [rows, 1]. How is an f32 input [1, 4]: temperature, top-p, repetition penalty,
// and a number from 0 to 1 that decides the draw. Of equals the lower token
// comes first.
//
// The logits of tokens in Recent, an i32 input [n], are divided by the penalty
// where they are above 0, else multiplied (arXiv 1909.05858, section 4.1).
// Temperature 0 takes the largest logit. Otherwise the tokens, ordered by
// probability at that temperature, are cut after the first that brings the sum to
// top-p (0 or 1: none is cut), and the first whose running sum exceeds the draw's
// share of the rest is taken. A logit that is no number, or +Inf, gives −1.
type Sample struct {
	X, Recent, How Value
}

// Activate applies a function to each element.
type Activate struct {
	X   Value
	Act Activation
}

// BinaryKind is a function of two numbers.
type BinaryKind uint8

// Functions of Binary.
const (
	Add BinaryKind = iota
	Mul
	Hypot // √(x²+y²): the magnitude of a Fourier transform
)

// Binary is Act(X) ∘ Y element by element; Mul with an activation is the gate
// of GLU (arXiv 2002.05202). Y has the shape of X, or one row, or one column,
// or one element, which repeats.
type Binary struct {
	Kind BinaryKind
	X, Y Value
	Act  Activation // of X
}

// Conv1D moves over time: X [frames, Cin], W [Cout, Cin, Kernel], result
// [(frames+Left+2·Padding−Kernel)/Stride+1, Cout].
type Conv1D struct {
	X               Value
	W, Bias         *Weight
	Stride, Padding int // Stride 0 means 1; padding on both ends
	Left            int // additional zeros before the first frame, for causal convolutions
	Act             Activation
}

// Conv2D moves over an image: X [H, W, Cin] (f32, or u8 as a camera gives it),
// W [Cout, Cin, KH, KW], result [H', W', Cout]. A u8 image is first scaled per
// channel: x·PixelScale[c]+PixelShift[c].
type Conv2D struct {
	X                      Value
	W, Bias                *Weight
	Stride, Padding        int // Stride 0 means 1
	Act                    Activation
	PixelScale, PixelShift []float32
}

// Resize makes a camera's picture larger or smaller: X u8 input [pixels, C], row
// after row of Width pixels. Across and Down are i32 inputs [W, n] and [H, m] with a
// row for each column, and each row, of the result u8 [H, W, C]: the first pixel that
// it is made of, how many, and their weights times 2^ResizeBits, whose magnitudes
// add up to at most 2. Down the columns go the results of the rows, rounded to
// bytes; that is what Pillow does.
type Resize struct {
	X, Across, Down Value
	Width           Scalar
}

// ResizeBits are the fraction bits of the weights of Resize.
const ResizeBits = 22

// LogPower makes a spectrogram of powers Whisper's: log10 of X, at least 1e-10, no
// more than 8 below the largest of all elements, plus 4, over 4.
type LogPower struct {
	X Value
}

// Pad extends [frames, C] by mirrored frames (without repeating the edge).
type Pad struct {
	X           Value
	Left, Right int
}

// LSTM runs a cell over the rows of X [rows, In] (gates i, f, g, o as PyTorch
// orders them): WX [4H, In], WH [4H, H], biases [4H]; H and C are states
// [1, H] that persist between runs. Result [rows, H].
type LSTM struct {
	X            Value
	WX, WH       *Weight
	BiasX, BiasH *Weight
	H, C         Value
}

// MeanRows averages the rows of X [rows, C]; result [1, C].
type MeanRows struct {
	X Value
}

// MaxPool2D takes the largest of Kernel×Kernel places: X [H, W, C].
type MaxPool2D struct {
	X                       Value
	Kernel, Stride, Padding int
}

// Concat joins along rows (Axis 0) or channels (Axis 1).
type Concat struct {
	Xs   []Value
	Axis int
}

// Slice takes Len rows (Axis 0) or channels (Axis 1) from Start on; a view.
// Len 0 along rows takes all that follow.
type Slice struct {
	X                Value
	Axis, Start, Len int
}

// Reshape reads the same elements as another shape; a view.
type Reshape struct {
	X     Value
	Shape Shape
}
