package eval

import (
	"fmt"
	"io"
)

// Seams is how far the joints would have to jump where one chunk of a learned
// policy's motion ends and the next takes over, a step after the seam: in position,
// rad, and in velocity, rad/s, of the joint that is farthest off. Given is what the
// network gave, Followed what was followed of it.
type Seams struct {
	Count           int
	Given, Followed Jumps
}

// Jumps are in the mean over the seams, and at worst.
type Jumps struct{ Position, Velocity, WorstPosition, WorstVelocity float64 }

// Seamed is a Robot that counts seams.
type Seamed interface {
	Seams() Seams
}

func (s *Seams) write(w io.Writer) error {
	if s == nil || s.Count == 0 {
		return nil
	}
	line := func(what string, j Jumps) error {
		_, err := fmt.Fprintf(w, "  %s: %.4f rad and %.3f rad/s in the mean, %.3f and %.2f at worst\n", what, j.Position, j.Velocity, j.WorstPosition, j.WorstVelocity)
		return err
	}
	if _, err := fmt.Fprintf(w, "%d seams between chunks; the joints jump\n", s.Count); err != nil {
		return err
	}
	if err := line("as the network gives them", s.Given); err != nil {
		return err
	}
	return line("as they are followed", s.Followed)
}

func (s *Seams) figures(root string) []Figure {
	if s == nil || s.Count == 0 {
		return nil
	}
	var all []Figure
	for _, of := range []struct {
		name string
		Jumps
	}{{"given", s.Given}, {"followed", s.Followed}} {
		at := root + ".seams." + of.name
		all = append(all,
			Figure{Name: at + ".position", Value: of.Position, Unit: "rad", N: s.Count}, Figure{Name: at + ".velocity", Value: of.Velocity, Unit: "rad/s", N: s.Count},
			Figure{Name: at + ".position.worst", Value: of.WorstPosition, Unit: "rad", N: s.Count}, Figure{Name: at + ".velocity.worst", Value: of.WorstVelocity, Unit: "rad/s", N: s.Count})
	}
	return all
}
