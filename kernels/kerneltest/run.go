package kerneltest

import (
	"testing"

	"github.com/kuai-robot/kuai/kernels"
)

// Run checks everything that a backend must do.
func Run(t *testing.T, backend kernels.Backend) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) { Check(t, c, backend) })
	}
	t.Run("poison", func(t *testing.T) { poison(t, backend) })
	t.Run("poison", func(t *testing.T) { poisonRanges(t, backend) })
	t.Run("sessions", func(t *testing.T) { sessions(t, backend) })
}

// Cases is the whole table.
func Cases() []Case {
	var out []Case
	for _, part := range [][]Case{products(), normCases(), attentionCases(), elementCases(), moveCases(), convCases(), signalCases(), graphCases()} {
		out = append(out, part...)
	}
	return out
}

// varying are lengths that a program of up to 40 rows meets: a prompt, one
// token, none, a tile and one, the most.
var varying = []Lengths{{"rows": 7}, {"rows": 1}, {"rows": 0}, {"rows": 33}, {"rows": 40}, {"rows": 2}}
