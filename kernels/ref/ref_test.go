package ref_test

import (
	"testing"

	"github.com/kuai-robot/kuai/kernels/kerneltest"
	"github.com/kuai-robot/kuai/kernels/ref"
)

func TestRef(t *testing.T) { kerneltest.Run(t, ref.New()) }

func TestExact(t *testing.T) { kerneltest.Run(t, ref.Exact()) }
