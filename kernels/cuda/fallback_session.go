package cuda

import (
	"errors"
	"fmt"
	"slices"

	"github.com/kuai-robot/kuai/kernels"
)

// eitherInstance is a session on one of the backends.
type eitherInstance struct {
	program       *either
	parents       []*eitherInstance
	family        *family
	first, second kernels.Instance
	memory        map[kernels.Value][]byte // inputs and outputs after a move: where they were
}

// family are sessions that share states, in the order in which they were made. They
// belong to one goroutine and move together.
type family struct {
	members []*eitherInstance
	moved   bool
	lost    bool // the states are, and no Run has said so
}

func (in *eitherInstance) joinFamily() {
	in.family = &family{}
	for _, p := range in.parents {
		f := p.family
		if f == in.family {
			continue
		}
		f.members = append(f.members, in.family.members...)
		for _, m := range in.family.members {
			m.family = f
		}
		f.moved = f.moved || in.family.moved
		in.family = f
	}
	in.family.members = append(in.family.members, in)
}

func (in *eitherInstance) leaveFamily() {
	f := in.family
	f.members = slices.DeleteFunc(f.members, func(m *eitherInstance) bool { return m == in })
}

// move brings every member to the second backend that is not there.
func (f *family) move() error {
	for _, in := range f.members {
		if in.second != nil {
			continue
		}
		other, err := in.program.other()
		if err != nil {
			return err
		}
		var share []kernels.Instance
		for _, p := range in.parents {
			share = append(share, p.second)
		}
		if in.second, err = other.NewInstance(share); err != nil {
			return err
		}
		if in.first != nil {
			f.lost = !in.takeAlong() || f.lost
		}
	}
	f.moved = true
	return nil
}

// takeAlong copies the states that can still be read, and remembers where inputs and
// outputs are; it says whether all states were read.
func (in *eitherInstance) takeAlong() bool {
	all, g := true, in.program.graph
	in.memory = map[kernels.Value][]byte{}
	for v := kernels.Value(1); int(v) < g.Values(); v++ {
		if g.Info(v).Kind != kernels.IsState {
			if b := in.first.Memory(v); b != nil {
				in.memory[v] = b
			}
			continue
		}
		var b []byte
		if in.program.owner.isLost() == nil {
			b = in.first.Memory(v)
		}
		copy(in.second.Memory(v), b)
		all = all && b != nil
	}
	return all
}

// Memory is that of the session. Inputs and outputs stay where they were after a
// move, as kernels.Instance promises; states do not.
func (in *eitherInstance) Memory(v kernels.Value) []byte {
	if b := in.memory[v]; b != nil {
		return b
	}
	if in.second == nil {
		if b := in.first.Memory(v); b != nil || in.program.graph.Info(v).Kind != kernels.IsState {
			return b
		}
		// The state cannot be read any more: the next Run will say so.
		in.program.owner.lose(in.program.graph)
		if in.family.move() != nil {
			return nil
		}
	}
	return in.second.Memory(v)
}

// MoveRow moves where the session is.
func (in *eitherInstance) MoveRow(v kernels.Value, to, from int) error {
	if in.second != nil {
		return in.second.MoveRow(v, to, from)
	}
	return in.first.MoveRow(v, to, from)
}

// Run goes on with the second backend after the device was lost or full.
func (in *eitherInstance) Run(s *kernels.Scalars) error {
	var failed error
	owner := in.program.owner
	if in.second == nil {
		if failed = owner.isLost(); failed == nil {
			failed = in.first.Run(s)
			if failed == nil || !owner.mended(failed) {
				return failed
			}
			owner.tell(in.program.graph, failed)
		}
		if err := in.family.move(); err != nil {
			return errors.Join(failed, err)
		}
	}
	if in.family.lost {
		in.family.lost = false
		return fmt.Errorf("graph %s goes on with %s: %w: %w", in.program.graph.Name, owner.second.Name(), kernels.ErrStatesLost, ErrLost)
	}
	return in.runMoved(s)
}

// runMoved copies inputs and outputs of a session that was moved.
func (in *eitherInstance) runMoved(s *kernels.Scalars) error {
	g := in.program.graph
	for v, b := range in.memory {
		if g.Info(v).Kind == kernels.IsInput {
			copy(in.second.Memory(v), b)
		}
	}
	if err := in.second.Run(s); err != nil {
		return err
	}
	for v, b := range in.memory {
		if g.Info(v).Kind == kernels.Computed {
			copy(b, in.second.Memory(v))
		}
	}
	return nil
}

// Close frees the memory on both sides; that a lost device does not give its own back
// is no error.
func (in *eitherInstance) Close() error {
	in.leaveFamily()
	var err error
	if in.first != nil {
		if err = in.first.Close(); in.program.owner.isLost() != nil {
			err = nil
		}
	}
	if in.second != nil {
		err = errors.Join(err, in.second.Close())
	}
	return err
}
