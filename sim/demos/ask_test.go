package demos

import (
	"slices"
	"testing"

	"github.com/kuai-robot/kuai/sim/world"
)

// asked is a Sink that keeps what was asked for, by the instant.
type asked struct {
	digest
	frames []Frame
	ended  bool
}

func (a *asked) Add(f *Frame) error {
	a.frames = append(a.frames, *f)
	return a.digest.Add(f)
}

func (a *asked) End(success []bool) error {
	a.ended = success == nil
	return nil
}

// In each instant that is kept the teacher is asked for several skills that make
// sense there, never for what is held out, and a seed repeats.
func TestAsk(t *testing.T) {
	s := newStudio(t)
	play := func(seed uint64) *asked {
		var a asked
		e := s.Draw(seed, Mix{Stack: 1}, world.Demonstrations())
		if _, err := s.Ask(&e, &Teacher{Noise: 1}, Asking{Every: 5, Others: 2}, &a); err != nil {
			t.Fatal(err)
		}
		return &a
	}
	a, again := play(3), play(3)
	if a.sum != again.sum || len(a.frames) == 0 || !a.ended {
		t.Fatalf("%d frames, then %d of the same seed; ended %v", len(a.frames), len(again.frames), a.ended)
	}
	others := map[string]bool{}
	for i := range a.frames {
		f := &a.frames[i]
		if f.Step != 0 {
			t.Fatalf("frame %d is at step %d of its skill", i, f.Step)
		}
		if HeldOut(f.Skill) {
			t.Errorf("frame %d asks for %s, which is held out", i, f.Skill)
		}
		if i > 0 && f.At == a.frames[i-1].At {
			others[f.Skill.String()] = true
			continue
		}
		for _, o := range f.Scene.Objects {
			if o.Held && f.Skill.Name == "place_on" && !slices.ContainsFunc(f.Skill.Args, func(name string) bool { return name == o.Name }) {
				t.Errorf("frame %d: %s while the %s is held", i, f.Skill, o.Name)
			}
		}
	}
	if len(others) < 3 {
		t.Errorf("only %v were asked for besides", others)
	}
}
