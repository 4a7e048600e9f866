package kernelbench

import (
	"fmt"
	"testing"

	"github.com/kuai-robot/kuai/kernels"
)

// Every operator is in some benchmark.
func TestEveryOperatorIsMeasured(t *testing.T) {
	missing := map[string]bool{}
	for _, op := range []kernels.Op{
		kernels.MatMul{}, kernels.Embed{}, kernels.Gather{}, kernels.Const{}, kernels.Norm{}, kernels.RoPE{}, kernels.Store{},
		kernels.Attention{}, kernels.Softmax{}, kernels.LogProb{}, kernels.Activate{}, kernels.Binary{}, kernels.Conv1D{},
		kernels.Conv2D{}, kernels.Pad{}, kernels.LSTM{}, kernels.MeanRows{}, kernels.MaxPool2D{}, kernels.Concat{}, kernels.Slice{},
		kernels.Reshape{}, kernels.Resize{}, kernels.LogPower{}, kernels.Sample{},
	} {
		missing[fmt.Sprintf("%T", op)] = true
	}
	for _, b := range benchmarks() {
		if b.op == "matvec" || b.op == "rows512" || b.op == "rows8" {
			continue // large, and nothing but products
		}
		g := kernels.NewGraph(b.op)
		b.build(g)
		if err := g.Err(); err != nil {
			t.Errorf("%s: %v", b.op, err)
		}
		for _, n := range g.Nodes {
			delete(missing, fmt.Sprintf("%T", n.Op))
		}
	}
	for op := range missing {
		t.Errorf("%s is in no benchmark", op)
	}
}
