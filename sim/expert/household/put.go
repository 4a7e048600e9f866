package household

import (
	"fmt"
	"math"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
)

// stages of putting something down, each naming the leg that is next.
const (
	putRaise = iota
	putOver
	putDown
	putLower
	putLet
	putUp
	putFold
	putCheck
)

const (
	// overM is how far above where it rests a thing is brought down quickly, and
	// letM how far above the cup lets it go.
	overM = 0.02
	letM  = 0.003
	// boomM is kept between the arm and the rim of what it reaches into.
	boomM = 0.03
	// letTime is how long the valve is given, restTime how long what was put down
	// comes to rest.
	letTime  = 120 * time.Millisecond
	restTime = 200 * time.Millisecond
)

// putting puts what is held onto or into a place.
type putting struct {
	thing string
	place *layout.Place
	stage int
	// at is where the rim of the cup goes, at the height at which it lets go.
	at robot.Vec3
	// turn is how far the hand turns for it: nothing, or a quarter, where what is
	// held finds room the other way round.
	turn float64
	done robot.Predicate
}

func (e *Expert) newPutting(s robot.Skill, o *robot.Observation) (task, error) {
	place, ok := layout.FindPlace(s.Args[1])
	if !ok {
		return nil, fmt.Errorf("the %s is no place to put something", s.Args[1])
	}
	relation := "on"
	if s.Name == "place_in" {
		relation = "in"
	}
	if place.Holds() != (relation == "in") || (s.Name == "hand_over") != (place.Kind == layout.Person) {
		return nil, fmt.Errorf("the %s is a %s", place.Name, place.Kind)
	}
	t := &putting{thing: s.Args[0], place: place, done: robot.Predicate{Name: relation, Args: s.Args}}
	need := []robot.Predicate{{Name: "held", Args: s.Args[:1]}, {Name: "here", Args: s.Args[1:]}}
	if place.Kind == layout.Drawer {
		need = append(need, robot.Predicate{Name: "open", Args: s.Args[1:]})
	}
	if p, ok := robot.HoldAll(need, nil, o.Scene); !ok {
		return nil, fmt.Errorf("it needs %s", p)
	}
	return t, nil
}

func (t *putting) next(b *body, o *robot.Observation, from *robot.Joints) (leg, robot.Outcome) {
	if o.Scene == nil {
		return leg{}, failed("nobody looked at the scene")
	}
	x, ok := o.Scene.Find(t.thing)
	if !ok {
		return leg{}, failed(fmt.Sprintf("the %s is gone", t.thing))
	}
	if t.stage <= putLet && !x.Held {
		return leg{}, failed(fmt.Sprintf("the %s fell from the hand", t.thing))
	}
	stage := t.stage
	t.stage++
	switch stage {
	case putRaise:
		return leg{knots: []robot.Joints{b.folded(*from)}}, running
	case putOver:
		if err := t.choose(b, o, from, x); err != nil {
			return leg{}, failed(fmt.Sprintf("the %s: %v", t.thing, err))
		}
		return t.toHeight(b, from, b.home[layout.Lift]-layout.RodLength, 1)
	case putDown:
		return t.toHeight(b, from, t.at[2]+overM, 1.2)
	case putLower:
		return t.toHeight(b, from, t.at[2], slowDown/2)
	case putLet:
		return leg{knots: []robot.Joints{valve(*from, layout.ValveOpen)}, wait: letTime}, running
	case putUp:
		return leg{knots: []robot.Joints{b.high(*from)}}, running
	case putFold:
		return leg{knots: []robot.Joints{b.folded(*from)}, wait: restTime}, running
	}
	if !t.done.Holds(nil, o.Scene) {
		return leg{}, failed(fmt.Sprintf("the %s did not stay: %s does not hold", t.thing, t.done))
	}
	return leg{}, succeeded
}

// toHeight takes the cup straight up or down to a height over the chosen spot.
func (t *putting) toHeight(b *body, from *robot.Joints, z, slowdown float64) (leg, robot.Outcome) {
	q, err := b.reachTurned(from, robot.Vec3{t.at[0], t.at[1], z}, t.turn)
	if err != nil {
		return leg{}, failed(fmt.Sprintf("the %s: %v", t.thing, err))
	}
	return leg{knots: []robot.Joints{q}, slowdown: slowdown}, running
}

// choose finds the spot for what is held. It hangs with its sides along those of
// the place, since the hand faces as the base does.
func (t *putting) choose(b *body, o *robot.Observation, from *robot.Joints, x *robot.Object) error {
	drawer, _ := o.Scene.Find(t.place.Name)
	open := 0.0
	if drawer.Kind == layout.Drawer {
		open = drawer.Open
	}
	frame := t.place.Frame(open)
	facing := robot.AxisAngle(up, from[layout.BaseYaw])
	turn := facing.Inverse().Mul(x.Pose.Orientation)
	tool := b.desc.ToolPose(&o.State.Position).Position
	hangs := facing.Inverse().Rotate(x.Pose.Position.Sub(tool))
	half := [2]float64{reachAlong(turn, x.Size, robot.Vec3{1, 0, 0}), reachAlong(turn, x.Size, robot.Vec3{0, 1, 0})}
	spots := spotsOf(t.place, frame, o.Scene, half, t.thing)
	for _, s := range spotsOf(t.place, frame, o.Scene, [2]float64{half[1], half[0]}, t.thing) {
		s.turned, s.worth = true, s.worth-turnWorth
		spots = append(spots, s)
	}
	sortSpots(spots)
	for _, s := range spots {
		at, turn, hung := frame.Transform(robot.Vec3{s.at[0], s.at[1], 0}), 0.0, hangs
		if s.turned {
			turn = math.Pi / 2
			hung = robot.AxisAngle(up, turn).Rotate(hangs)
		}
		at = at.Sub(facing.Rotate(robot.Vec3{hung[0], hung[1], 0}))
		at[2] = s.height + (tool[2] - bottomOf(x)) + letM
		if t.place.Holds() {
			at[2] = max(at[2], t.place.Rim+boomM-layout.RodLength)
		}
		if _, err := b.reachTurned(from, at, turn); err != nil {
			continue
		}
		t.at, t.turn = at, turn
		return nil
	}
	return fmt.Errorf("there is no room for it at the %s", t.place.Name)
}

// spot is a place for something, in the frame of the place, and the height on
// which it would come to rest.
type spot struct {
	at     [2]float64
	height float64
	worth  float64
	turned bool
}

// How spots are looked for, m.
const (
	gridM = 0.01
	gapM  = 0.02 // between two things
	edgeM = 0.012
	// tightM is the least gap, where there is no better spot; what is nearer than
	// touchM would rest on the other.
	tightM = 0.006
	touchM = 0.002
	// nearWorth is what a metre of way is worth, beside a metre of room that a spot
	// leaves unused between things.
	nearWorth = 0.15
	// turnWorth is how much farther away a spot may be to spare a turn of the hand.
	turnWorth = 0.3
)

// spotsOf gives spots for something of these half extents. Worth most are free
// ones close to other things, the back or a side, so that room for what is large
// is left, and near the robot; worth least are those on the soiled strip of a
// surface and, in a vessel that is full, on top of a heap, the higher the less.
func spotsOf(p *layout.Place, frame robot.Pose, scene *robot.Scene, half [2]float64, self string) []spot {
	others := neighbours(frame, p, scene, self)
	near, far := -p.Depth/2+edgeM+half[0], p.Depth/2-edgeM-half[0]
	if p.Kind == layout.Drawer {
		far -= layout.CoveredM
	}
	side := p.Width/2 - edgeM - half[1]
	// What is larger than the vessel lies across its middle.
	if far < near {
		near, far = (near+far)/2, (near+far)/2
	}
	side = max(side, 0)
	var spots []spot
	for x := near; x <= far+1e-9; x += gridM {
		for y := -side; y <= side+1e-9; y += gridM {
			s := spot{at: [2]float64{x, y}, height: p.Floor}
			room := min(far-x, side-math.Abs(y)) // to the back and to the sides
			gap := math.Inf(1)
			for i := range others {
				g := others[i].gap(s.at, half)
				gap = min(gap, g)
				if g < touchM {
					s.height = max(s.height, others[i].top)
				}
			}
			s.worth = -min(room, max(gap-gapM, 0)) - nearWorth*(math.Abs(y)+x-near)
			switch {
			case gap < tightM && !p.Holds():
				continue
			case gap < tightM:
				s.worth -= 10 * (1 + s.height)
			case gap < gapM:
				s.worth -= 2
			}
			if p.Kind == layout.Surface && x-half[0] < -p.Depth/2+layout.StripM {
				s.worth -= 5
			}
			spots = append(spots, s)
		}
	}
	return spots
}
