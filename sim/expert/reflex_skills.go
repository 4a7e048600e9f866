package expert

import (
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/robot"
	kin "github.com/kuai-robot/kuai/robot/hand"
)

// When a reflex counts as having come somewhere, m and rad.
const (
	atM        = 0.005
	atRad      = 0.12
	stillAtM   = 0.010 // while the fingers close
	openingM   = 0.004 // narrower than it should be by so much: it opens first
	letGoM     = 0.012 // beside a block, to let it go
	inBowlM    = 0.012
	inBowlOver = 0.006
	onBlockM   = 0.003
	onBlockRad = 0.08
)

// taking is how a reflex takes something between its fingers.
type taking struct {
	hand  kin.Hand // with the fingers open
	shut  float64  // where they are sent to hold it
	width float64
}

// take goes to t and closes the fingers, or opens them first.
func (r *Reflex) take(t *taking, now kin.Hand) Advice {
	away := math.Hypot(now.X-t.hand.X, now.Y-t.hand.Y)
	down, turned := math.Abs(now.Z-t.hand.Z), math.Abs(now.Roll-t.hand.Roll)
	closing := now.Grip < t.hand.Grip-openingM/2
	around := away < atM && down < atM && turned < atRad
	if closing {
		around = away < stillAtM && down < stillAtM && now.Grip > t.width/2-missedM
	}
	shut := t.hand
	shut.Grip = t.shut
	switch {
	case around:
		return Advice{Hand: r.straight(now, shut, atM)}
	case now.Grip < t.hand.Grip-openingM:
		// Open up here, above whatever the fingers would come down on.
		goal := now
		goal.Z, goal.Grip = max(now.Z, t.hand.Z+t.hand.Grip+0.02), t.hand.Grip
		return Advice{Hand: r.toward(now, goal)}
	}
	return Advice{Hand: r.toward(now, t.hand)}
}

// pick takes o up.
func (r *Reflex) pick(o *robot.Object, v *Sight) Advice {
	t := r.grasp(o, v)
	if o.Held {
		return r.rise(v.Hand, t.shut)
	}
	return r.take(&t, v.Hand)
}

// grasp chooses how to take o: straight from above, along the sides with more
// room, the one nearer to how the wrist is turned where both have it.
func (r *Reflex) grasp(o *robot.Object, v *Sight) taking {
	block := footprintOf(o)
	around := layoutOf(v.Scene, o.Name, o.In)
	in, _ := v.Scene.Find(o.In)
	if o.Kind == "cylinder" { // any way round is as good
		block.yaw = r.kin.Azimuth(v.Hand.Position()) + r.rollZero + r.rollSign*v.Hand.Roll
	}
	best, found := taking{}, math.Inf(-1)
	for side := range 2 {
		g, ok := r.arm.openFor(&block, side, 0, around, in)
		score := 0.0
		if ok {
			score = min(g.gap, easyM)
		} else {
			g.q[r.arm.gripper] = g.width/2 + letGoM
			g.position[2] = r.arm.graspHeight(&block, g.reach, g.q[r.arm.gripper])
			score = -1
		}
		h := kin.Hand{X: block.x, Y: block.y, Z: g.position[2], Grip: g.q[r.arm.gripper]}
		h.Roll = r.rollFor(h.Position(), g.yaw, v.Hand.Roll)
		if score -= 0.004 * math.Abs(h.Roll-v.Hand.Roll); score > found {
			best, found = taking{hand: h, width: g.width, shut: max(g.width/2-squeezeM, 0)}, score
		}
	}
	return best
}

// place puts o in or on target, and takes it up first where the hand has it not.
func (r *Reflex) place(o, target *robot.Object, v *Sight) Advice {
	f, under := footprintOf(o), footprintOf(target)
	half := o.Size[0] / 2
	open := min(half+letGoM, r.arm.upper[r.arm.gripper])
	over := math.Hypot(f.x-under.x, f.y-under.y)
	if !o.Held {
		there := o.In == target.Name || o.On == target.Name
		falling := o.In == "" && o.On == "" && over < under.halfX
		switch {
		case there && (v.Hand.Grip > half+openingM || v.Hand.Z > f.top+r.arm.shape.tip+openingM):
			return r.rise(v.Hand, open)
		case there || falling:
			still := v.Hand
			still.Grip = open
			return Advice{Hand: still}
		}
		return r.pick(o, v)
	}
	hang := max(r.arm.shape.tip, v.Hand.Z-f.bottom)
	goal := kin.Hand{X: under.x, Y: under.y, Z: under.top + hang + dropM, Roll: v.Hand.Roll, Grip: max(half-squeezeM, 0)}
	near, turned := onBlockM, onBlockRad
	if target.Kind == bowl {
		goal.Z, near, turned = under.top+hang+inBowlOver, inBowlM, math.Inf(1)
	} else {
		// The block may sit off the middle of the hand: bring the block there.
		goal.X, goal.Y = goal.X+v.Hand.X-f.x, goal.Y+v.Hand.Y-f.y
		goal.Roll = r.rollOnto(&f, &under, goal, v.Hand)
	}
	if math.Hypot(v.Hand.X-goal.X, v.Hand.Y-goal.Y) < near && math.Abs(v.Hand.Z-goal.Z) < atM+near/2 && math.Abs(v.Hand.Roll-goal.Roll) < turned {
		goal.X, goal.Y, goal.Z, goal.Roll, goal.Grip = v.Hand.X, v.Hand.Y, v.Hand.Z, v.Hand.Roll, open
		return Advice{Hand: r.leaning(v.Hand, goal)}
	}
	return Advice{Hand: r.toward(v.Hand, goal)}
}

// rollOnto gives the roll nearest to now at which the sides of the block that
// hangs in the hand lie along those of the one under it, when the hand is at goal.
func (r *Reflex) rollOnto(block, under *footprint, goal, now kin.Hand) float64 {
	if block.round || under.round {
		return now.Roll
	}
	swing := r.kin.Azimuth(goal.Position()) - r.kin.Azimuth(now.Position())
	left := math.Remainder(under.yaw-(block.yaw+swing), math.Pi/2)
	return clamp(now.Roll+r.rollSign*left, r.arm.lower[r.arm.tool], r.arm.upper[r.arm.tool])
}

// push shoves o to a side with the closed fingers.
func (r *Reflex) push(o *robot.Object, direction string, v *Sight) (Advice, error) {
	way := map[string]float64{"left": 1, "right": -1}[direction]
	if way == 0 {
		return Advice{}, fmt.Errorf("%q is not left or right", direction)
	}
	b := footprintOf(o)
	contact := b.extent(math.Pi/2) + r.arm.shape.thick
	goal := kin.Hand{X: b.x, Y: b.y - way*(contact+besideM)}
	goal.Roll = r.rollFor(goal.Position(), math.Pi/2, v.Hand.Roll)
	goal.Z = r.arm.graspHeight(&b, reach{position: goal.Position(), yaw: math.Pi / 2}, 0)
	gone := way * v.Stroke.Way[1]
	ahead, aside := way*(b.y-v.Hand.Y), math.Abs(b.x-v.Hand.X)
	low := v.Stroke.Down && v.Hand.Z < goal.Z+2*atM
	enough := besideM + pushM - atM
	if !v.Stroke.Down {
		// One that rose a little early has pushed the block, and is not asked for again.
		enough = besideM + pushedM - atM
	}
	switch {
	case v.Stroke.Any && gone >= enough && (v.Stroke.Down || gone < 2*pushM):
		return r.rise(v.Hand, 0), nil
	case low && ahead > contact/2 && ahead < contact+2*besideM && aside < b.halfX:
		next := v.Hand
		next.Y, next.Z, next.Grip = v.Hand.Y+way*2*reflexPush, goal.Z, 0
		next.Roll = r.rollFor(next.Position(), math.Pi/2, v.Hand.Roll)
		return Advice{Hand: r.straight(v.Hand, next, reflexPush)}, nil
	}
	return Advice{Hand: r.toward(v.Hand, goal)}, nil
}

// press pushes a button down.
func (r *Reflex) press(o *robot.Object, v *Sight) Advice {
	if o.Pressed {
		return r.rise(v.Hand, 0)
	}
	top := o.Pose.Position[2] + o.Size[2]/2
	goal := kin.Hand{X: o.Pose.Position[0], Y: o.Pose.Position[1], Z: top + r.arm.shape.tip - 0.014, Roll: v.Hand.Roll}
	return Advice{Hand: r.toward(v.Hand, goal)}
}

// How a drawer is moved by its handle.
const (
	drawerM    = 0.045 // its stroke
	drawerStep = 0.016
	// Of the stroke: open, or shut, enough to let go. A policy that imitates this sees
	// how far a drawer is open to a few millimetres; half of ClosedAtMost would let
	// it go too early.
	openSlack   = 0.08
	closedSlack = 0.04
	handleOpenM = 0.020
)

// slide brings a drawer to where it is open by to.
func (r *Reflex) slide(o *robot.Object, to float64, v *Sight) Advice {
	left := to - o.Open
	p, axis := o.Pose.Position, axisOf(o, 0)
	across := axisOf(o, 1)
	t := taking{width: o.Size[1]}
	t.hand = kin.Hand{X: p[0], Y: p[1], Z: p[2], Grip: handleOpenM}
	t.hand.Roll = r.rollFor(p, math.Atan2(across[1], across[0]), v.Hand.Roll)
	slack := openSlack
	if to == 0 {
		slack = closedSlack
	}
	enough := math.Abs(left) < slack
	switch {
	case enough && (o.Held || v.Hand.Z < p[2]+atM && v.Hand.Grip < t.width/2+openingM && math.Hypot(v.Hand.X-p[0], v.Hand.Y-p[1]) < stillAtM):
		still := v.Hand
		still.Grip = handleOpenM
		return Advice{Hand: r.leaning(v.Hand, still)}
	case enough:
		return r.rise(v.Hand, handleOpenM)
	case o.Held:
		goal := t.hand
		on := p.Add(axis.Scale(left*drawerM + math.Copysign(0.004, left)))
		goal.X, goal.Y, goal.Z, goal.Grip = on[0], on[1], v.Hand.Z, t.shut
		return Advice{Hand: r.straight(v.Hand, goal, drawerStep)}
	}
	return r.take(&t, v.Hand)
}
