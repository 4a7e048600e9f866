package gpu

import (
	"errors"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/kernels/cuda"
)

var orin = Card{Name: "Orin", Capability: 87, SMs: 8, Shared: 163 << 10, Memory: 7 << 30, Unified: true}

func TestChoose(t *testing.T) {
	old := Card{Name: "GTX 1080", Capability: 61, Memory: 8 << 30}
	for _, c := range []struct {
		facts Facts
		want  string
		index int
	}{
		{Facts{Status: -1}, "libcuda.so.1 was not found (is the NVIDIA driver installed?)", 0},
		{Facts{Status: noDevice}, "the driver finds no device", 0},
		{Facts{Status: 803}, "CUDA error 803 (run: nvidia-smi)", 0},
		{Facts{Version: 11040, Cards: []Card{orin}}, "the driver is for CUDA 11.4, the kernels need 11.8 (install a newer driver", 0},
		{Facts{Version: 12020}, "the driver finds no device", 0},
		{Facts{Version: 12020, Cards: []Card{old}}, "GTX 1080 is of compute capability 6.1, the kernels need 8.0", 0},
		{Facts{Version: 12020, Cards: []Card{{Name: "Orin", Capability: 87, Memory: 100 << 20}}}, "Orin has 100 MB of memory, at least 512", 0},
		{Facts{Version: 12020, Cards: []Card{{Name: "A2", Capability: 86, Memory: 16 << 30, Prohibited: true}}}, "nvidia-smi -c DEFAULT", 0},
		{Facts{Version: 12020, Cards: []Card{old, orin}}, "", 1},
	} {
		i, err := c.facts.choose()
		switch {
		case c.want == "" && (err != nil || i != c.index):
			t.Errorf("%+v gives card %d, %v", c.facts, i, err)
		case c.want != "" && (!errors.Is(err, ErrNone) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%+v gives %v, want %q", c.facts, err, c.want)
		}
	}
}

func TestFailure(t *testing.T) {
	if err := failure(orin, "x", 0); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		code int
		is   error
		want string
	}{
		{outOfMemory, cuda.ErrMemory, "Orin: MatMul: not enough memory on the GPU (its 7168 MB are shared by all processes"},
		{illegalAddress, cuda.ErrLost, "Orin: MatMul: the GPU is lost (CUDA error 700"},
		{deviceInUse, cuda.ErrLost, "Orin: MatMul: another process has the card for itself (run: nvidia-smi -c DEFAULT)"},
		{unsupportedPTX, cuda.ErrLost, "is it older than CUDA 11.8?"},
		{1, nil, "Orin: MatMul: CUDA error 1"},
	} {
		err := failure(orin, "MatMul", c.code)
		if !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("error %d gives %v, want %q", c.code, err, c.want)
		}
	}
}
