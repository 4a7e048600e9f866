package learned

import "time"

// Bounds keep a skill finite. A zero field takes the value of DefaultBounds.
type Bounds struct {
	// Execute is how many steps of a chunk are carried out before the next is asked
	// for.
	Execute int
	// RealTime switches real-time chunking on: Fixed steps of the old chunk stay when
	// a new one comes, as many as pass while the network computes, and the weight of
	// the old one fades over the next. It is for a network that takes long; one that
	// answers within a small part of a step does better without, since what is fixed
	// is late.
	RealTime bool
	Fixed    int
	// MaxAge of a picture, Patience with cameras that show nothing, Time of a skill.
	MaxAge, Patience, Time time.Duration
	// Done is the probability from which on the skill counts as over.
	Done float64
	// Doubt is the probability that what the skill is for is so, below which a skill
	// that is over has failed: the policy has seen it. It says nothing of a policy
	// without a judge.
	Doubt float64
	// Sure is the probability that it is so, from which on the skill is over although
	// the policy would go on.
	Sure float64
}

// DefaultBounds suit ten steps a second.
func DefaultBounds() Bounds {
	return Bounds{Execute: 3, Fixed: 1, MaxAge: 300 * time.Millisecond, Patience: 2 * time.Second, Time: 14 * time.Second, Done: 0.5, Doubt: 0.4, Sure: 0.9}
}

func (b Bounds) withDefaults() Bounds {
	d := DefaultBounds()
	for _, f := range []struct{ field, or *time.Duration }{{&b.MaxAge, &d.MaxAge}, {&b.Patience, &d.Patience}, {&b.Time, &d.Time}} {
		if *f.field <= 0 {
			*f.field = *f.or
		}
	}
	if b.Execute <= 0 {
		b.Execute = d.Execute
	}
	if b.Fixed <= 0 {
		b.Fixed = d.Fixed
	}
	for _, f := range []struct {
		field *float64
		or    float64
	}{{&b.Done, d.Done}, {&b.Doubt, d.Doubt}, {&b.Sure, d.Sure}} {
		if *f.field <= 0 {
			*f.field = f.or
		}
	}
	if !b.RealTime {
		b.Fixed = -1
	}
	return b
}
