package demos

import (
	"errors"
	"math/rand/v2"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/robot/hand"
)

// ErrSkip marks an episode that cannot be played; the next seed may.
var ErrSkip = errors.New("this episode cannot be played")

// Teacher is the Actor that follows the advice, with noise.
type Teacher struct {
	// Noise scales the disturbance of what is executed; 0: none.
	Noise  float64
	random *rand.Rand
	// drift is an offset of the hand that comes and goes; kick one for a moment.
	drift, kick [hand.Size]float64
	kicked      int
}

// How large the noise is, a step: m, m, m, rad, rad, m.
var (
	driftStep = [hand.Size]float64{0.003, 0.003, 0.002, 0.012, 0.05, 0.0006}
	kickSize  = [hand.Size]float64{0.05, 0.05, 0.035, 0.1, 0.7, 0.012}
)

const (
	driftStays = 0.75
	kickOften  = 0.015
	kickSteps  = 4
)

// Begin implements Actor.
func (t *Teacher) Begin(_ robot.Skill, random *rand.Rand) {
	*t = Teacher{Noise: t.Noise, random: random}
}

// Act implements Actor.
func (t *Teacher) Act(f *Frame) (hand.Hand, bool, error) {
	over := f.Ahead.DoneAt == 0
	v := f.Ahead.Hands[0].Vector()
	if t.random.Float64() < kickOften && t.kicked == 0 {
		t.kicked = 1 + t.random.IntN(kickSteps)
		for i := range t.kick {
			t.kick[i] = kickSize[i] * (2*t.random.Float64() - 1) / float64(t.kicked)
		}
	}
	for i := range t.drift {
		t.drift[i] = driftStays*t.drift[i] + driftStep[i]*t.random.NormFloat64()
		v[i] += t.Noise * t.drift[i]
		if t.kicked > 0 && !over {
			v[i] += t.Noise * t.kick[i]
		}
	}
	if t.kicked > 0 {
		t.kicked--
	}
	h := hand.Of(v)
	h.Z = max(h.Z, lowest)
	return h, over, nil
}

// lowest is where the noise may take a hand, m.
const lowest = 0.018
