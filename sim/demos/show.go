package demos

import (
	"math/rand/v2"

	"github.com/kuai-robot/kuai/sim/world"
)

// World is the workbench of the studio, for who looks at it besides; whoever
// resets it must not do so while an episode is played.
func (s *Studio) World() *world.World { return s.world }

// Standing draws how the arm stands: its hand anywhere over the table.
func (s *Studio) Standing(random *rand.Rand) []float64 {
	return standing(random, s.world.Description(), s.arm)
}
