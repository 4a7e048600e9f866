package expert

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

const (
	// pushM is how far a block is pushed, pushedM how far at least.
	pushM, pushedM = 0.048, 0.04
	pushSpareM     = 0.002
	// besideM is how far from a block the hand comes down.
	besideM = 0.008
	// pushStepM is the distance between knots of the straight push.
	pushStepM = 0.01
	// pushSlowdown keeps a block from sliding on or tipping.
	pushSlowdown = 3
	// pushClearM is kept between a block on its way and anything else.
	pushClearM = 0.004
	stillTime  = 400 * time.Millisecond
)

type pushStage uint8

const (
	pushReach pushStage = iota
	pushSweep
	pushRetreat
	pushCheck
)

// pushing moves a block along the table with the closed fingers.
type pushing struct {
	block string
	// way is +1 to the left, −1 to the right.
	way   float64
	stage pushStage
	tries int
	began robot.Vec3
	at    robot.Vec3
	hand  pushHand
}

// pushHand is where a push begins and ends.
type pushHand struct {
	start     robot.Joints
	way       []robot.Joints // to there
	knots     []robot.Joints // from there to the end
	gap, tilt float64
}

func newPushing(block *robot.Object, direction string, scene *robot.Scene) (*pushing, error) {
	t := &pushing{block: block.Name, began: block.Pose.Position}
	switch direction {
	case "left":
		t.way = 1
	case "right":
		t.way = -1
	default:
		return nil, fmt.Errorf("%q is not left or right", direction)
	}
	if held, ok := scene.Held(); ok {
		return nil, fmt.Errorf("the hand is full: it holds the %s", held.Name)
	}
	if block.On != table {
		return nil, fmt.Errorf("the %s does not stand on the table", block.Name)
	}
	for i := range scene.Objects {
		if scene.Objects[i].On == block.Name {
			return nil, fmt.Errorf("the %s is on the %s", scene.Objects[i].Name, block.Name)
		}
	}
	return t, nil
}

// bends are how far from straight to the side a push may go where something is
// in the way, rad, the best first.
var bends = [...]float64{0, 0.25, -0.25, 0.5, -0.5, 0.75, -0.75, 0.95, -0.95}

// choose looks for a push that takes the block as far as it still has to go:
// with some to spare, or as far as it must where there is no room for more.
func (t *pushing) choose(a *arm, block *robot.Object, scene *robot.Scene, from *robot.Joints) (pushHand, error) {
	around, all := layoutOf(scene, block.Name), layoutOf(scene)
	why := fmt.Errorf("something is in the way of the %s", block.Name)
	for _, to := range [...]float64{pushM, pushedM + pushSpareM} {
		far := max(to-t.gone(block), pushStepM)
		for _, bend := range bends {
			h, ok, err := t.chooseAlong(a, block, around, from, t.way*math.Pi/2+bend, far/math.Cos(bend))
			if ok {
				if h.way, ok = a.travel(from, &h.start, all, a.shape.tip, a.shape.palmClosing); ok {
					return h, nil
				}
				err = fmt.Errorf("the arm finds no way to the %s", block.Name)
			}
			if err != nil {
				why = err
			}
		}
	}
	return pushHand{}, why
}

// chooseAlong looks for a push in the direction heading, the fingers lying
// across the way or along it. Not ok and no error: something is in the way.
func (t *pushing) chooseAlong(a *arm, block *robot.Object, around layout, from *robot.Joints, heading, far float64) (pushHand, bool, error) {
	b := footprintOf(block)
	s, c := math.Sincos(heading)
	along, across := b.extent(heading), b.extent(heading+math.Pi/2)
	swept := footprint{
		x: b.x + c*far/2, y: b.y + s*far/2, halfX: along + far/2, halfY: across, yaw: heading,
		bottom: b.bottom, top: b.top,
	}
	room := around.clearance(&swept)
	if room < pushClearM {
		return pushHand{}, false, nil
	}
	reachable := false
	for _, tilt := range tilts {
		for _, turned := range [...]bool{false, true} {
			p := push{heading: heading, tilt: tilt, yaw: heading, contact: along + a.shape.thick, far: far}
			if turned {
				p.yaw, p.contact = heading+math.Pi/2, along+a.shape.wide
			}
			h, ok := a.sweep(&b, &p, from, around)
			reachable = reachable || ok
			if ok && h.gap >= tightM {
				h.gap = min(h.gap, room)
				return h, true, nil
			}
		}
	}
	if reachable {
		return pushHand{}, false, fmt.Errorf("there is no room for the hand beside the %s", block.Name)
	}
	return pushHand{}, false, fmt.Errorf("the %s is out of reach", block.Name)
}

// push is a straight stroke: the direction, how the hand is held, how far it is
// from the block's middle when it touches, and how far it goes from there.
type push struct {
	heading, tilt, yaw, contact, far float64
}

// sweep finds the joint positions of the stroke p on the block b.
func (a *arm) sweep(b *footprint, p *push, from *robot.Joints, around layout) (pushHand, bool) {
	closed := a.lower[a.gripper]
	s, c := math.Sincos(p.heading)
	back := p.contact + besideM
	r := reach{tilt: p.tilt, yaw: p.yaw, position: robot.Vec3{b.x - c*back, b.y - s*back, 0}}
	r.position[2] = a.graspHeight(b, r, closed)
	if r.position[2] > b.top+a.lowest(r, closed)-biteM {
		return pushHand{}, false
	}
	h := pushHand{tilt: r.tilt}
	h.start[a.gripper] = closed
	if !a.solveTop(&h.start, r, from, asNear, turnedRound) {
		return pushHand{}, false
	}
	h.gap = a.handGap(r, closed, around, nil)
	q, total := h.start, besideM+p.far
	end := r
	n := int(math.Ceil(total / pushStepM))
	for k := 1; k <= n; k++ {
		way := total * float64(k) / float64(n)
		end.position[0], end.position[1] = r.position[0]+c*way, r.position[1]+s*way
		want, normal := a.handFor(end)
		if !a.descend(&q, want, normal, asNear) {
			return pushHand{}, false
		}
		h.knots = append(h.knots, q)
	}
	h.gap = min(h.gap, a.handGap(end, closed, around, nil))
	_, up := a.above(&h.start, b.top+a.shape.tip+overM)
	return h, up
}

func (t *pushing) find(o *robot.Observation) (*robot.Object, error) {
	if o.Scene == nil {
		return nil, errors.New("nobody looked at the scene")
	}
	block, ok := o.Scene.Find(t.block)
	if !ok {
		return nil, fmt.Errorf("the %s is gone", t.block)
	}
	return block, nil
}

// gone is how far the block has come, m.
func (t *pushing) gone(block *robot.Object) float64 {
	return t.way * (block.Pose.Position[1] - t.began[1])
}

// plan implements task.
func (t *pushing) plan(a *arm, o *robot.Observation, from *robot.Joints) (plan, error) {
	block, err := t.find(o)
	if err != nil {
		return plan{}, err
	}
	h, err := t.choose(a, block, o.Scene, from)
	if err != nil {
		return plan{}, err
	}
	return plan{gap: h.gap, tilt: h.tilt}, nil
}

// next implements task.
func (t *pushing) next(a *arm, o *robot.Observation, from *robot.Joints) (motion, robot.Outcome) {
	block, err := t.find(o)
	if err != nil {
		return motion{}, failed(err.Error())
	}
	if t.stage == pushSweep && (block.Pose.Position.Sub(t.at).Norm() > movedM || a.lags(&t.hand.start, from, thereRad)) {
		t.stage = pushReach
	}
	if t.stage == pushCheck && t.gone(block) < pushedM {
		t.stage = pushReach
	}
	switch t.stage {
	case pushReach:
		return t.reach(a, o, block, from)
	case pushSweep:
		t.stage = pushRetreat
		return motion{knots: t.hand.knots, slowdown: pushSlowdown}, running
	case pushRetreat:
		t.stage = pushCheck
		knots, ok := a.rise(from, retreatM)
		if !ok {
			return motion{}, failed("the arm cannot lift its hand off")
		}
		return motion{knots: knots, wait: stillTime, until: func(o *robot.Observation) bool {
			block, err := t.find(o)
			return err == nil && block.On == table && t.gone(block) >= pushedM
		}}, running
	}
	if block.On != table {
		return motion{}, failed(fmt.Sprintf("the %s no longer stands on the table", t.block))
	}
	return motion{}, succeeded
}

// reach goes to beside the block.
func (t *pushing) reach(a *arm, o *robot.Observation, block *robot.Object, from *robot.Joints) (motion, robot.Outcome) {
	if t.tries++; t.tries > maxTries {
		return motion{}, failed(fmt.Sprintf("the %s did not go far enough in %d pushes", t.block, maxTries))
	}
	h, err := t.choose(a, block, o.Scene, from)
	if err != nil {
		return motion{}, failed(err.Error())
	}
	t.hand, t.at, t.stage = h, block.Pose.Position, pushSweep
	return motion{knots: h.way}, running
}

// outdated implements task: the block moved away before the push.
func (t *pushing) outdated(o *robot.Observation) bool {
	block, err := t.find(o)
	return err != nil || t.stage == pushSweep && block.Pose.Position.Sub(t.at).Norm() > movedM
}
