// Package kernels turns a graph of operators into a program that runs on a
// backend: ref (plain Go, to believe), cpu (vector units, to use) or cuda.
//
// # Building
//
// A model is a function that adds nodes to a Graph. Operators are the plain
// structs of operators.go, a closed set; a Value is the result of one, an input
// or a state. Add never returns an error: the first mistake is kept, names the
// operator and the shapes, and is what Compile returns.
//
//	g := kernels.NewGraph("block")
//	tokens := g.Scalar("tokens", 512)                       // a length, set before each Run
//	past := g.Scalar("past", 2048)                          // rows already in the cache
//	ids := g.Input("ids", kernels.I32, tokens.Dim())
//	positions := g.Input("positions", kernels.I32, tokens.Dim())
//	keys := g.State("keys", kernels.F32, kernels.N(2048), kernels.N(192))
//	values := g.State("values", kernels.F32, kernels.N(2048), kernels.N(192))
//	x := g.Add(kernels.Embed{Table: table, IDs: ids})
//	h := g.Add(kernels.Norm{X: x, Kind: kernels.RMS, Gain: gain, Epsilon: 1e-5})
//	q := g.Add(kernels.RoPE{X: g.Add(kernels.MatMul{X: h, W: wq}), Positions: positions, Heads: 9, Base: 1e5})
//	k := g.Add(kernels.RoPE{X: g.Add(kernels.MatMul{X: h, W: wk}), Positions: positions, Heads: 3, Base: 1e5})
//	v := g.Add(kernels.MatMul{X: h, W: wv})
//	a := g.Add(kernels.Attention{
//		Q: q, K: g.Add(kernels.Store{X: k, State: keys, At: past}), V: g.Add(kernels.Store{X: v, State: values, At: past}),
//		Heads: 9, KVHeads: 3, Causal: true, Past: past})
//	x = g.Add(kernels.MatMul{X: a, W: wo, Residual: x})
//	g.Output("hidden", x)
//
// Write the graph as the paper does, one small operator after the other. The
// compiler fuses: a norm, bias, activation, gate and residual move into the
// matrix product beside them, products of one input become one.
//
// # Shapes
//
// Activations are row-major f32. The last dimension holds the channels; all
// dimensions before it together are the rows. Only the first dimension may
// vary, with a Scalar between 0 and a maximum: Dim is floor((Mul*n+Add)/Div),
// which is what convolutions and prefixes make of a length. An image is
// [height, width, channels], audio is [frames, channels]. Q is
// [rows, Heads*HeadDim], K and V are [rows, KVHeads*HeadDim]. There is no batch
// dimension; Attention.Batch cuts its rows into sequences of equal length, and
// Attention.Mask scores branches of a tree in one pass.
//
// # Weights
//
// A Weight keeps the bytes and the type of the file it came from. Compile packs
// it once for the backend; after that Data is not read again, so a mapped
// file can be unmapped. Programs that one Backend value compiled share what was
// packed from the same *Weight or the same place of a file. A matrix is [outputs, inputs], a convolution is
// [outputs, inputs, kernel...], as PyTorch stores them.
//
// # Running
//
//	program, err := kernels.Compile(g, cpu.New(cpu.Options{}), kernels.Options{Precision: kernels.Stored})
//	session, err := program.NewSession()
//	session.Set(tokens, 3)
//	session.Set(past, 0)
//	copy(session.I32(ids), []int32{1, 2, 3})
//	copy(session.I32(positions), []int32{0, 1, 2})
//	err = session.Run(ctx)
//	hidden := session.F32(x)                                // valid until the next Run
//
// Program is safe for use from many goroutines. A Session belongs to one
// goroutine at a time; sessions of one program run side by side. Run allocates
// nothing. A state is zero at first, lives as long as the session and is shared
// with sessions created from it (NewSession(parent)), also of another program
// that declares the same name, type and shape: an encoder fills the keys that a
// decoder attends to. Forgetting the end of a cache is setting its scalar to a
// smaller number.
//
// # Failure
//
// Compile reports the first wrong operator. Run reports scalars out of range,
// rows that do not fit a state, and ids outside their table, before anything is
// computed, with states untouched. Close frees memory; using a closed session
// or program is an error, not a crash.
package kernels
