package learned

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/fusion/vla"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/robot/hand"
)

// Chance gives the probability that a skill succeeds from here.
type Chance interface {
	Can(o *robot.Observation, s robot.Skill) float64
}

// Affordance is SayCan's can from pictures: the judge of a policy says how likely
// the policy is to succeed with what the cameras show. One goroutine at a time.
type Affordance struct {
	config  Config
	arm     *hand.Arm
	chance  Chance
	cells   [2]int
	cameras []*watch

	// at is when the skills of seen were judged.
	at   robot.Time
	seen map[string]judgement
}

// judgement is what was made of a skill in a picture.
type judgement struct {
	can  float64
	sure [2][]float32
	when robot.Time // of the picture
}

// NewAffordance makes one; of c it needs Description, Predictor, Knows and Phrase.
// other judges what the policy was never taught, and everything where there is no
// picture to go by, so that the runner is chosen and says what is wrong; nil judges
// all of that to be certain. rows and columns are those of what the gaze looks at.
func NewAffordance(c Config, other Chance, rows, columns int) (*Affordance, error) {
	if c.Description == nil || c.Predictor == nil || c.Knows == nil || c.Phrase == nil {
		return nil, errors.New("learned: an affordance needs a description, a policy and its skills")
	}
	arm, err := hand.New(c.Description)
	if err != nil {
		return nil, fmt.Errorf("learned: %w", err)
	}
	a := &Affordance{config: c, arm: arm, chance: other, cells: [2]int{rows, columns}, seen: map[string]judgement{}}
	for _, name := range []string{"front", "wrist"} {
		a.cameras = append(a.cameras, &watch{camera: name, maxAge: c.Bounds.withDefaults().MaxAge})
	}
	return a, nil
}

// Can implements saycan.Affordance.
func (a *Affordance) Can(o *robot.Observation, s robot.Skill) float64 {
	if !a.config.Knows(s) || !a.sees(o) {
		if a.chance == nil {
			return 1
		}
		return a.chance.Can(o, s)
	}
	if a.at != o.At {
		a.at = o.At
		clear(a.seen)
	}
	if j, ok := a.seen[s.String()]; ok {
		return j.can
	}
	var stroke hand.Stroke
	stroke.See(a.arm.Hand(&o.State.Position))
	in := vla.Input{Phrase: a.config.Phrase(s), Features: a.arm.Feel(&o.State, &stroke)}
	in.Front, _ = o.Frame("front")
	in.Wrist, _ = o.Frame("wrist")
	out, err := a.config.Predictor.Predict(context.Background(), &in)
	if err != nil || !out.Judged || math.IsNaN(out.Can) {
		return 0 // a network that fails is trusted with nothing
	}
	j := judgement{can: out.Can, when: in.Front.At}
	for i := range j.sure {
		j.sure[i] = append([]float32(nil), out.Sure[i]...)
	}
	a.seen[s.String()] = j
	return j.can
}

// sees says whether both pictures can be judged.
func (a *Affordance) sees(o *robot.Observation) bool {
	for _, w := range a.cameras {
		w.reset()
		if w.check(o, 0) != "" {
			return false
		}
	}
	return true
}

// Heat says where in the front picture the policy sees what s names: the cell
// where it looks most is as hot as s is likely to succeed.
func (a *Affordance) Heat(s robot.Skill) []robot.Heat {
	j, ok := a.seen[s.String()]
	if !ok {
		return nil
	}
	h := robot.Heat{Camera: "front", At: j.when, Rows: a.cells[0], Columns: a.cells[1], Values: make([]float32, a.cells[0]*a.cells[1])}
	for i := range min(2, max(1, len(s.Args))) {
		top := float32(0)
		for _, v := range j.sure[i] {
			top = max(top, v)
		}
		for k, v := range j.sure[i][:min(len(j.sure[i]), len(h.Values))] {
			if top > 0 {
				h.Values[k] = max(h.Values[k], v/top*float32(j.can))
			}
		}
	}
	return []robot.Heat{h}
}
