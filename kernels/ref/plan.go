package ref

import (
	"fmt"

	"github.com/kuai-robot/kuai/kernels"
)

// plan turns a node into the step that computes it.
func (e *executable[T]) plan(n kernels.Node) (step[T], error) {
	switch op := n.Op.(type) {
	case kernels.MatMul:
		return e.matMul(op, n.Out), nil
	case kernels.Embed:
		return e.embed(op, n.Out), nil
	case kernels.Gather:
		return e.gather(op, n.Out), nil
	case kernels.Const:
		return e.constant(op, n.Out), nil
	case kernels.Norm:
		return e.norm(op, n.Out), nil
	case kernels.RoPE:
		return e.rope(op, n.Out), nil
	case kernels.Store:
		return e.store(op), nil
	case kernels.Attention:
		return e.attention(op, n.Out), nil
	case kernels.Softmax:
		return e.softmax(op, n.Out), nil
	case kernels.LogProb:
		return e.logProb(op, n.Out), nil
	case kernels.Sample:
		return e.sample(op, n.Out), nil
	case kernels.Resize:
		return e.resize(op, n.Out), nil
	case kernels.LogPower:
		return e.logPower(op, n.Out), nil
	case kernels.Activate:
		return e.activate(op, n.Out), nil
	case kernels.Binary:
		return e.binary(op, n.Out), nil
	case kernels.Conv1D:
		return e.conv1D(op, n.Out), nil
	case kernels.Conv2D:
		return e.conv2D(op, n.Out), nil
	case kernels.Pad:
		return e.pad(op, n.Out), nil
	case kernels.LSTM:
		return e.lstm(op, n.Out), nil
	case kernels.MeanRows:
		return e.meanRows(op, n.Out), nil
	case kernels.MaxPool2D:
		return e.maxPool(op, n.Out), nil
	case kernels.Concat:
		return e.concat(op, n.Out), nil
	case kernels.Slice:
		return e.slice(op, n.Out), nil
	case kernels.Reshape:
		return e.reshape(op, n.Out), nil
	}
	return nil, fmt.Errorf("%T is not an operator that %s knows", n.Op, e.backend.name)
}

// size is the shape of a value as rows and columns.
func (e *executable[T]) size(v kernels.Value) (rows kernels.Dim, cols int) {
	shape := e.graph.Shape(v)
	return shape.Rows(), shape.Cols()
}

func (e *executable[T]) needNarrow(n int) { e.narrow = max(e.narrow, n) }

func (e *executable[T]) needWide(n int) { e.wide = max(e.wide, n) }
