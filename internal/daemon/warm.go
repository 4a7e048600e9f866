package daemon

import (
	"context"
	"fmt"

	"github.com/kuai-robot/kuai/policy/saycan"
	"github.com/kuai-robot/kuai/robot"
)

// warmer gives what reads the scene as a plan has left it, so that the next
// instruction finds it read and costs no more than its own words. It runs where plans
// run, so that the two never meet, and gives way to a plan that comes meanwhile.
func warmer(p *saycan.Planner, scene func() *robot.Scene, warn func(error)) func(context.Context) {
	return func(ctx context.Context) {
		if err := p.Warm(ctx, scene()); err != nil && ctx.Err() == nil {
			warn(fmt.Errorf("planner: read ahead: %w (the next instruction takes a little longer)", err))
		}
	}
}
