package demos

import "slices"

// Combination is two things of an instruction: what is taken, and where it goes.
type Combination [2]string

// Combinations lists the pairs of block and bowl (Put) or of block and block
// (Stack), those that demonstrations ask for or those that they never do.
func Combinations(family string, unseen bool) []Combination {
	onto := bowlNames
	if family == Stack {
		onto = blockNames[:len(blockNames)-len(cylinderNames)]
	}
	var all []Combination
	for _, what := range blockNames {
		for _, where := range onto {
			if what != where && slices.Contains(heldOut, [2]string{what, where}) == unseen {
				all = append(all, Combination{what, where})
			}
		}
	}
	return all
}

// Blocks and Bowls list the things that demonstrations are about.
func Blocks() []string { return slices.Clone(blockNames) }

// Bowls lists the bowls.
func Bowls() []string { return slices.Clone(bowlNames) }
