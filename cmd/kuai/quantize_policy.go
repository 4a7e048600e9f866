package main

import (
	"context"
	"errors"

	"github.com/kuai-robot/kuai/fusion/vla"
	"github.com/kuai-robot/kuai/internal/dataset"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/robot/hand"
	"github.com/kuai-robot/kuai/sim/world/so101"
)

// errEnough ends reading a dataset.
var errEnough = errors.New("enough samples")

// policyInputs reads what a policy goes by out of the datasets in the folders
// sources: at most so many frames, spread over their episodes.
func policyInputs(sources []string, most int) ([]*vla.Input, error) {
	arm, err := hand.New(so101.Description())
	if err != nil {
		return nil, err
	}
	var inputs []*vla.Input
	for _, dir := range sources {
		set, err := dataset.Open(dir)
		if err != nil {
			return nil, err
		}
		frames := 0
		for i := range set.Episodes {
			frames += int(set.Episodes[i].Length)
		}
		every, count := max(frames*len(sources)/max(most, 1), 1), 0
		for i := range set.Episodes {
			var stroke hand.Stroke
			task := set.Episodes[i].Task
			err := set.Frames(&set.Episodes[i], func(r *dataset.Row, pictures []robot.Frame) error {
				var s robot.State
				copy(s.Position[:], r.State)
				copy(s.Effort[:], r.Effort)
				stroke.See(arm.Hand(&s.Position))
				count++
				if count%every != 0 {
					return nil
				}
				in := &vla.Input{Phrase: task, Features: arm.Feel(&s, &stroke)}
				o := robot.Observation{Frames: pictures}
				in.Front, _ = o.Frame("front")
				in.Wrist, _ = o.Frame("wrist")
				if inputs = append(inputs, in); len(inputs) == most {
					return errEnough
				}
				return nil
			})
			if errors.Is(err, errEnough) {
				return inputs, nil
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return inputs, nil
}

// policyOpener compiles a policy for inputs; its moves are what is compared, in
// the network's own scale.
func policyOpener(b kernels.Backend, inputs []*vla.Input) opener {
	return openerOf(
		func(dir string, o kernels.Options) (*vla.Policy, error) {
			return vla.Open(dir, so101.Description(), b, o)
		},
		func(p *vla.Policy) (*vla.Session, error) { return p.NewSession(1) },
		func(ctx context.Context, p *vla.Policy, s *vla.Session, i int) ([]float32, error) {
			out, err := s.Predict(ctx, inputs[i])
			if err != nil {
				return nil, err
			}
			var all []float32
			for _, m := range out.Moves {
				for k, v := range m.Vector() {
					all = append(all, float32(v/p.Config.Scale[k]))
				}
			}
			return all, nil
		})
}
