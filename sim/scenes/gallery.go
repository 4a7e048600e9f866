package scenes

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/kuai-robot/kuai/sim/demos"
	"github.com/kuai-robot/kuai/sim/world"
)

// Size of the pictures, that of the simulator's front camera.
const (
	Width, Height = 320, 240
)

// playedShare is of the seeds whose pictures are moments of an episode.
const playedShare = 0.12

// Picture is one picture and what is true in it. Its pixels are valid until the
// next.
type Picture struct {
	Seed   uint64
	Pixels []byte // RGB, Height rows of Width
	View   View
}

// Gallery takes pictures.
type Gallery struct {
	studio *demos.Studio
	pixels []byte
	// Unseen has it show what training never shows; else that is left out.
	unseen bool
}

// New opens a gallery of what training shows, or of all with much of what it never
// does.
func New(o world.Options, unseen bool) (*Gallery, error) {
	s, err := demos.NewStudio(o)
	if err != nil {
		return nil, err
	}
	return &Gallery{studio: s, pixels: make([]byte, 3*Width*Height), unseen: unseen}, nil
}

// Close frees the workbench.
func (g *Gallery) Close() error { return g.studio.Close() }

// Take gives each picture of a seed to keep: one, or several moments of an
// episode, or none where the scene has no room or shows what is left out.
func (g *Gallery) Take(seed uint64, keep func(*Picture) error) error {
	random := rand.New(rand.NewPCG(seed, 0x7363656e))
	if random.Float64() < playedShare {
		return g.play(seed, random, keep)
	}
	spec := layout(random, g.unseen)
	spec.Vary = world.Training()
	if random.Float64() > homeShare {
		spec.Arm = g.studio.Standing(random)
	}
	if err := g.studio.World().Reset(seed, spec); err != nil {
		return nil // no room: another seed has some
	}
	return g.picture(seed, keep)
}

// picture takes one of the workbench as it is.
func (g *Gallery) picture(seed uint64, keep func(*Picture) error) error {
	w := g.studio.World()
	p := Picture{Seed: seed, Pixels: g.pixels, View: View{Scene: w.Scene(), At: map[string][2]float64{}}}
	for i := range p.View.Scene.Objects {
		o := &p.View.Scene.Objects[i]
		if s, ok := w.Project("front", float64(Width)/Height, o.Pose.Position); ok {
			p.View.At[o.Name] = [2]float64{s.X, s.Y}
		}
	}
	if !g.unseen && slices.ContainsFunc(All(), func(s Statement) bool { return s.Unseen() && p.View.Judge(s) == True }) {
		return nil
	}
	if err := w.Render("front", Width, Height, g.pixels); err != nil {
		return err
	}
	return keep(&p)
}

// play has the teacher pick something up and put it somewhere, and takes pictures
// of moments that the seed draws.
func (g *Gallery) play(seed uint64, random *rand.Rand, keep func(*Picture) error) error {
	e := g.studio.Draw(seed, demos.Mix{demos.Put: 3, demos.Stack: 2}, world.Training())
	if g.unseen && random.IntN(2) == 0 {
		for i := range e.Spec.Objects { // have it pick what is never seen held
			if e.Spec.Objects[i].Name == heldThing {
				e.Skills[0].Args = []string{heldThing}
				e.Skills = e.Skills[:1]
				break
			}
		}
	}
	_, err := g.studio.Run(&e, &demos.Teacher{Noise: 0.7}, &moments{gallery: g, random: random, keep: keep})
	if errors.Is(err, demos.ErrSkip) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("pictures of seed %d: %w", seed, err)
	}
	return nil
}

// How often a moment of an episode is kept.
const (
	heldOften  = 0.2 // while something is held
	emptyOften = 0.03
)

// moments is the Sink that keeps a few pictures of an episode.
type moments struct {
	gallery *Gallery
	random  *rand.Rand
	keep    func(*Picture) error
	seed    uint64
}

// Begin implements demos.Sink.
func (m *moments) Begin(e *demos.Episode) error { m.seed = e.Seed; return nil }

// Add implements demos.Sink.
func (m *moments) Add(f *demos.Frame) error {
	held := false
	for i := range f.Scene.Objects {
		held = held || f.Scene.Objects[i].Held
	}
	often := emptyOften
	if held {
		often = heldOften
	}
	if m.random.Float64() >= often {
		return nil
	}
	return m.gallery.picture(m.seed, m.keep)
}

// End implements demos.Sink.
func (m *moments) End([]bool) error { return nil }
