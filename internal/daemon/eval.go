package daemon

import (
	"context"
	"errors"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/sim/eval"
)

// Eval runs a suite in a Lab and gives its report.
func Eval(ctx context.Context, c *config.Config, suite *eval.Suite, o eval.Options, tell func(error)) (report *eval.Report, err error) {
	lab, err := NewLab(c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lab.Close()) }()
	lab.listen(tell)
	return eval.Run(ctx, suite, lab, o)
}
