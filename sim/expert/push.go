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
	pushM, pushedM = 0.05, 0.04
	// besideM is how far from a block the hand comes down.
	besideM = 0.012
	// pushStepM is the distance between knots of the straight push.
	pushStepM = 0.01
	// pushSlowdown keeps a block from sliding on or tipping.
	pushSlowdown = 3
	// sideways is how far the block's way, and what it meets, is kept clear, m.
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
	start, end robot.Joints
	knots      []robot.Joints // from start to end
	gap, tilt  float64
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

// choose looks for a push by far, m, with the hand turned so that its fingers
// lie across the way or along it.
func (t *pushing) choose(a *arm, block *robot.Object, scene *robot.Scene, from *robot.Joints, far float64) (pushHand, error) {
	b := footprintOf(block)
	around := layoutOf(scene, block.Name)
	s, c := math.Sincos(b.yaw)
	half := math.Abs(s)*b.halfX + math.Abs(c)*b.halfY // of the block along y
	side := math.Abs(c)*b.halfX + math.Abs(s)*b.halfY // and along x
	swept := footprint{
		x: b.x, y: b.y + t.way*far/2, halfX: side, halfY: half + far/2, bottom: b.bottom, top: b.top,
	}
	if gap := around.clearance(&swept); gap < pushClearM {
		return pushHand{}, fmt.Errorf("something is in the way of the %s", block.Name)
	}
	reachable := false
	for _, tilt := range tilts[:3] {
		for _, yaw := range [...]float64{0, math.Pi / 2} {
			behind := a.shape.thick // the closed fingers' half extent along y
			if yaw == 0 {
				behind = a.shape.wide
			}
			h, ok := a.sweep(&b, t.way, half+behind, far, reach{tilt: tilt, yaw: yaw}, from, around)
			reachable = reachable || ok
			if ok && h.gap >= tightM {
				h.gap = min(h.gap, around.clearance(&swept))
				return h, nil
			}
		}
	}
	if reachable {
		return pushHand{}, fmt.Errorf("there is no room for the hand beside the %s", block.Name)
	}
	return pushHand{}, fmt.Errorf("the %s is out of reach", block.Name)
}

// sweep plans the straight push: contact is how far the hand is from the
// block's middle when it touches.
func (a *arm) sweep(b *footprint, way, contact, far float64, r reach, from *robot.Joints, around layout) (pushHand, bool) {
	closed := a.lower[a.gripper]
	r.position = robot.Vec3{b.x, b.y - way*(contact+besideM), 0}
	r.position[2] = a.graspHeight(b, r, closed)
	if r.position[2] > b.top+a.lowest(r, closed)-biteM {
		return pushHand{}, false
	}
	h := pushHand{tilt: r.tilt}
	h.start[a.gripper] = closed
	if !a.solveTop(&h.start, r, from, asNear, turnedRound) {
		return pushHand{}, false
	}
	parts := a.parts(r, closed)
	h.gap = math.Inf(1)
	for i := range parts {
		h.gap = min(h.gap, around.clearance(&parts[i]))
	}
	q := h.start
	total := besideM + far
	n := int(math.Ceil(total / pushStepM))
	for k := 1; k <= n; k++ {
		along := r
		along.position[1] += way * total * float64(k) / float64(n)
		want, normal := a.handFor(along)
		if !a.descend(&q, want, normal, asNear) {
			return pushHand{}, false
		}
		h.knots = append(h.knots, q)
	}
	h.end = q
	end := r
	end.position[1] += way * total
	for _, part := range a.parts(end, closed) {
		h.gap = min(h.gap, around.clearance(&part))
	}
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
	h, err := t.choose(a, block, o.Scene, from, pushM)
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
	h, err := t.choose(a, block, o.Scene, from, max(pushM-t.gone(block), pushStepM))
	if err != nil {
		return motion{}, failed(err.Error())
	}
	knots, ok := a.travel(from, &h.start, layoutOf(o.Scene), a.shape.tip, a.shape.palmClosing)
	if !ok {
		return motion{}, failed(fmt.Sprintf("the arm finds no way to the %s", t.block))
	}
	t.hand, t.at, t.stage = h, block.Pose.Position, pushSweep
	return motion{knots: knots}, running
}

// outdated implements task: the block moved away before the push.
func (t *pushing) outdated(o *robot.Observation) bool {
	block, err := t.find(o)
	return err != nil || t.stage == pushSweep && block.Pose.Position.Sub(t.at).Norm() > movedM
}
