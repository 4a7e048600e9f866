package expert

import (
	"errors"
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/robot"
	kin "github.com/kuai-robot/kuai/robot/hand"
)

// ReflexStep is the time from one target of a Reflex to the next, s.
const ReflexStep = 0.1

// Reflex is a teacher without memory: from the scene, the hand and the stroke
// alone it says where the hand should be a step later. Whatever happened before,
// a policy that drifted off, somebody who moved a block, it answers with what to
// do from here; that is what a learned policy that sees only the present can
// imitate, and what DAgger (arXiv 1011.0686) asks for. It knows the skills that
// are learned: pick, place_in, place_on another block, push, press, open, close.
//
// It does not look for a way around things as Expert does: it goes above all of
// them.
type Reflex struct {
	arm *arm
	kin *kin.Arm
	// rollSign and rollZero: the fingers of a hand that points down close along
	// azimuth + rollZero + rollSign·roll.
	rollSign, rollZero float64
}

// NewReflex makes a teacher for the robot d, under the same conditions as New.
func NewReflex(d *robot.Description) (*Reflex, error) {
	a, err := newArm(d)
	if err != nil {
		return nil, err
	}
	k, err := kin.New(d)
	if err != nil {
		return nil, err
	}
	r := &Reflex{arm: a, kin: k}
	home := d.Home()
	h := k.Hand(&home)
	h.Tilt, h.Roll = 0, 0
	straight, _ := k.Joints(h, &home)
	turned := straight
	turned[a.tool] += 0.1
	azimuth := k.Azimuth(h.Position())
	r.rollZero = math.Remainder(a.yawAt(&straight, azimuth)-azimuth, math.Pi)
	r.rollSign = math.Copysign(1, math.Remainder(a.yawAt(&turned, azimuth)-azimuth-r.rollZero, math.Pi))
	return r, nil
}

// Sight is what a Reflex goes by.
type Sight struct {
	Scene  *robot.Scene
	Hand   kin.Hand
	Stroke kin.Stroke
}

// Advice is where the hand should be a step later; Done says that the skill is
// over and the hand keeps still.
type Advice struct {
	Hand kin.Hand
	Done bool
}

// Next says what to do for s from here. The error says in words why s cannot be
// done.
func (r *Reflex) Next(s robot.Skill, v *Sight) (Advice, error) {
	want := map[string]int{"pick": 1, "place_in": 2, "place_on": 2, "push": 2, "press": 1, "open": 1, "close": 1}
	n, known := want[s.Name]
	switch {
	case v.Scene == nil:
		return Advice{}, errors.New("nobody looked at the scene")
	case !known:
		return Advice{}, fmt.Errorf("%s is not among the skills that are taught", s.Name)
	case len(s.Args) != n:
		return Advice{}, fmt.Errorf("%s takes %d arguments, not %d", s.Name, n, len(s.Args))
	}
	o, ok := v.Scene.Find(s.Args[0])
	if !ok {
		return Advice{}, fmt.Errorf("there is no %s in the scene", s.Args[0])
	}
	switch s.Name {
	case "pick":
		return r.pick(o, v), nil
	case "push":
		return r.push(o, s.Args[1], v)
	case "press":
		return r.press(o, v), nil
	case "open":
		return r.slide(o, 1, v), nil
	case "close":
		return r.slide(o, 0, v), nil
	}
	target, ok := v.Scene.Find(s.Args[1])
	if !ok || (s.Name == "place_in") != (target.Kind == bowl) {
		return Advice{}, fmt.Errorf("%s: that is not taught for %s", s, s.Args[1])
	}
	return r.place(o, target, v), nil
}

// How a reflex moves, in a step, m and rad.
const (
	reflexFast  = 0.026
	reflexDown  = 0.020
	reflexPush  = 0.012
	reflexRoll  = 0.30
	reflexTilt  = 0.15
	reflexGain  = 0.7 // of what is left
	reflexOver  = 0.09
	reflexClose = 0.004 // horizontally: near enough to go all the way down
	reflexFar   = 0.030 // from here on it stays up
	reflexRise  = 0.03  // below the way by so much it only rises
	reflexUp    = 0.072 // where it counts as up
)

// toward goes a step towards goal, high above everything until it is over it.
func (r *Reflex) toward(now, goal kin.Hand) kin.Hand {
	next := now
	next.Grip = goal.Grip
	radius, azimuth := r.kin.Radius(now.Position()), r.kin.Azimuth(now.Position())
	out, turn := r.kin.Radius(goal.Position())-radius, r.kin.Azimuth(goal.Position())-azimuth
	away := math.Hypot(now.X-goal.X, now.Y-goal.Y)
	rollLeft := goal.Roll - now.Roll
	height := max(reflexOver, goal.Z)
	up := max(clamp((away-reflexClose)/reflexFar, 0, 1), clamp((math.Abs(rollLeft)-0.12)/0.3, 0, 1))
	way := goal.Z + (height-goal.Z)*up
	free := clamp(1-(way-now.Z)/reflexRise, 0, 1)
	if length := math.Hypot(out, radius*turn); length > 1e-6 {
		share := min(reflexGain*length, reflexFast*free) / length
		if length < 0.003 {
			share = free
		}
		radius, azimuth = radius+share*out, azimuth+share*turn
		s, c := math.Sincos(azimuth)
		next.X, next.Y = r.arm.pivot[0]+radius*c, r.arm.pivot[1]+radius*s
	}
	next.Z = now.Z + clamp(reflexGain*(way-now.Z), -reflexDown, reflexDown)
	if math.Abs(way-now.Z) < 0.003 {
		next.Z = way
	}
	next.Roll = now.Roll + clamp(rollLeft, -reflexRoll, reflexRoll)
	return r.leaning(now, next)
}

// straight goes a step of at most length towards goal, without rising first.
func (r *Reflex) straight(now, goal kin.Hand, length float64) kin.Hand {
	next := goal
	d := goal.Position().Sub(now.Position())
	if n := d.Norm(); n > length {
		d = d.Scale(length / n)
	}
	next.X, next.Y, next.Z = now.X+d[0], now.Y+d[1], now.Z+d[2]
	next.Roll = now.Roll + clamp(goal.Roll-now.Roll, -reflexRoll, reflexRoll)
	return r.leaning(now, next)
}

// leaning gives the fingers of next the least lean with which the arm gets
// there.
func (r *Reflex) leaning(now, next kin.Hand) kin.Hand {
	const stepRad, most, there = 0.05, 1.0, 3e-4
	from := r.arm.desc.Home()
	from[r.arm.chain[0]] = clamp(r.kin.Azimuth(next.Position()), r.arm.lower[r.arm.chain[0]], r.arm.upper[r.arm.chain[0]])
	try := next
	for try.Tilt = 0; try.Tilt <= most; try.Tilt += stepRad {
		if _, off := r.kin.Joints(try, &from); off < there {
			break
		}
	}
	next.Tilt = now.Tilt + clamp(try.Tilt-now.Tilt, -reflexTilt, reflexTilt)
	return next
}

// rollFor gives the roll, nearest to now, at which fingers at p close along yaw.
func (r *Reflex) rollFor(p robot.Vec3, yaw, now float64) float64 {
	roll := r.rollSign * (yaw - r.kin.Azimuth(p) - r.rollZero)
	roll = now + math.Remainder(roll-now, math.Pi)
	for ; roll > r.arm.upper[r.arm.tool]; roll -= math.Pi {
	}
	for ; roll < r.arm.lower[r.arm.tool]; roll += math.Pi {
	}
	return roll
}

// rise goes straight up with the gripper at grip; Done once the hand is up.
func (r *Reflex) rise(now kin.Hand, grip float64) Advice {
	if now.Z >= reflexUp {
		still := now
		still.Grip = grip
		return Advice{Hand: still, Done: true}
	}
	goal := now
	goal.Z, goal.Grip = reflexOver, grip
	return Advice{Hand: r.straight(now, goal, reflexDown)}
}
