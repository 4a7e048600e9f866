package kitchen

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/mujoco"
	"github.com/kuai-robot/kuai/sim/world"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
)

// How an episode is laid out and settles.
const (
	gapM        = 0.022 // between two things
	edgeM       = 0.012 // to the edge of the place
	turnRad     = 0.06  // that a thing is turned from square
	drawsEach   = 80
	layoutTries = 200
	settleSteps = 40
	driftM      = 0.03
)

// item is one thing and where it goes.
type item struct {
	thing *layout.Thing
	place *layout.Place
	at    [2]float64 // in the place's frame
	yaw   float64
	half  [2]float64 // of its footprint there
}

// Reset starts an episode: what spec lists, where it says, the rest by seed.
// Placement.On is a surface or the user, In a vessel or a drawer; a drawer that is
// listed stands open as it says. A spec that lists nothing has the usual household.
func (w *World) Reset(seed uint64, spec world.Spec) error {
	random := rand.New(rand.NewPCG(seed, 0x6b69746368656e))
	items, open, err := w.items(&spec)
	if err != nil {
		return fmt.Errorf("kitchen: reset: %w", err)
	}
	q, err := w.posture(spec.Arm)
	if err != nil {
		return fmt.Errorf("kitchen: reset: %w", err)
	}
	w.resetting.Lock()
	defer w.resetting.Unlock()
	random.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	if err := arrange(random, items); err != nil {
		return fmt.Errorf("kitchen: reset: %w", err)
	}
	s, err := prepare(items, open, &q)
	if err != nil {
		return fmt.Errorf("kitchen: reset: %w", err)
	}
	return w.begin(s)
}

// begin puts the episode in place of the one before.
func (w *World) begin(s *simulation) error {
	w.pictures.mu.Lock() // so that nobody draws of the episode before
	defer w.pictures.mu.Unlock()
	w.pictures.close(false)
	w.machine.Lock()
	defer w.machine.Unlock()
	if w.machine.Closed() {
		return errors.Join(mujoco.ErrClosed, s.close())
	}
	old := w.live
	w.live = s
	w.machine.Begin(s.model, s.data, s.parts.joints)
	if old != nil {
		return old.close()
	}
	return nil
}

// items reads the spec.
func (w *World) items(spec *world.Spec) ([]item, map[string]float64, error) {
	if spec.Vary != (world.Vary{}) {
		return nil, nil, errors.New("vary: only a workbench can look other than usual")
	}
	var items []item
	open, seen := map[string]float64{}, map[string]bool{}
	for i := range spec.Objects {
		p := &spec.Objects[i]
		if seen[p.Name] {
			return nil, nil, fmt.Errorf("object %q: it is named twice", p.Name)
		}
		seen[p.Name] = true
		if place, ok := layout.FindPlace(p.Name); ok {
			if place.Kind != layout.Drawer || p.On != "" || p.In != "" || p.Position != nil || !(p.Open >= 0 && p.Open <= 1) {
				return nil, nil, fmt.Errorf("object %q: a place stays where it is; a drawer alone stands open, by 0 to 1", p.Name)
			}
			open[p.Name] = p.Open
			continue
		}
		it, err := itemOf(p)
		if err != nil {
			return nil, nil, fmt.Errorf("object %q: %w", p.Name, err)
		}
		items = append(items, it)
	}
	if len(items) > 0 {
		return items, open, nil
	}
	usual := layout.Things()
	if w.options.All {
		usual = layout.AllThings()
	}
	for i := range usual {
		place, ok := layout.FindPlace(usual[i].Usual)
		if !ok {
			return nil, nil, fmt.Errorf("object %q: there is no %q", usual[i].Name, usual[i].Usual)
		}
		items = append(items, item{thing: &usual[i], place: place})
	}
	return items, open, nil
}

func itemOf(p *world.Placement) (item, error) {
	thing, ok := layout.FindThing(p.Name)
	if !ok {
		return item{}, fmt.Errorf("there is no such thing (did you mean %q?)", robot.Nearest(p.Name, thingNames()))
	}
	if p.Position != nil || p.Open != 0 || p.On != "" && p.In != "" {
		return item{}, errors.New("give one of on and in: where a thing lies there follows from the seed")
	}
	name := p.On + p.In
	if name == "" {
		name = thing.Usual
	}
	place, ok := layout.FindPlace(name)
	if !ok {
		return item{}, fmt.Errorf("there is no %q to put it on or in (did you mean %q?)", name, robot.Nearest(name, placeNames()))
	}
	if p.On != "" && place.Holds() || p.In != "" && !place.Holds() {
		return item{}, fmt.Errorf("things lie on surfaces and in drawers, bins, baskets and sinks: the %s is a %s", name, place.Kind)
	}
	return item{thing: thing, place: place}, nil
}

func thingNames() []string {
	var names []string
	for _, t := range layout.EveryThing() {
		names = append(names, t.Name)
	}
	return names
}

func placeNames() []string {
	var names []string
	for _, p := range layout.Places() {
		names = append(names, p.Name)
	}
	return names
}

// posture gives the joint positions that the spec asks for.
func (w *World) posture(arm []float64) (robot.Joints, error) {
	q := w.description.Home()
	if len(arm) == 0 {
		return q, nil
	}
	if len(arm) != len(w.description.Joints) {
		return q, fmt.Errorf("arm: %d positions for %d joints", len(arm), len(w.description.Joints))
	}
	for i := range w.description.Joints {
		l := &w.description.Joints[i].Limits
		if v := arm[i]; !finite(v) || v < l.MinPosition || v > l.MaxPosition {
			return q, fmt.Errorf("arm: joint %s: %g is outside of [%g, %g]", w.description.Joints[i].Name, v, l.MinPosition, l.MaxPosition)
		}
		q[i] = arm[i]
	}
	return q, nil
}

// arrange draws where each item lies, all anew when the last finds no room.
func arrange(random *rand.Rand, items []item) error {
	var err error
	for range layoutTries {
		if err = arrangeOnce(random, items); err == nil {
			return nil
		}
	}
	return err
}

func arrangeOnce(random *rand.Rand, items []item) error {
	// What takes most room comes first, so that drawing rarely fails.
	order := make([]*item, len(items))
	for i := range items {
		order[i] = &items[i]
	}
	slices.SortStableFunc(order, func(a, b *item) int { return cmp.Compare(b.room(), a.room()) })
	for i, it := range order {
		fits := false
		for range drawsEach {
			it.draw(random)
			if fits = apart(order, i); fits {
				break
			}
		}
		if !fits {
			return fmt.Errorf("the %s has no room for the %s: list fewer things there", it.place.Name, it.thing.Name)
		}
	}
	return nil
}

// room is the area that a thing takes.
func (it *item) room() float64 { return (it.thing.Size[0] + gapM) * (it.thing.Size[1] + gapM) }

// draw picks a spot: on a surface behind the strip along its front.
func (it *item) draw(random *rand.Rand) {
	square := float64(random.IntN(2)) * math.Pi / 2
	it.yaw = square + turnRad*(2*random.Float64()-1)
	s, c := math.Abs(math.Sin(it.yaw)), math.Abs(math.Cos(it.yaw))
	size := &it.thing.Size
	it.half = [2]float64{(c*size[0] + s*size[1]) / 2, (s*size[0] + c*size[1]) / 2}
	near := -it.place.Depth / 2
	if it.place.Kind == layout.Surface {
		near += layout.StripM
	}
	far := it.place.Depth/2 - edgeM
	if it.place.Kind == layout.Drawer {
		far -= layout.CoveredM
	}
	x := [2]float64{near + edgeM + it.half[0], far - it.half[0]}
	y := it.place.Width/2 - edgeM - it.half[1]
	it.at = [2]float64{x[0] + (x[1]-x[0])*random.Float64(), y * (2*random.Float64() - 1)}
}

// apart says that item i keeps its distance from those of its place before it.
func apart(items []*item, i int) bool {
	for j := range i {
		a, b := items[i], items[j]
		if a.place == b.place && math.Abs(a.at[0]-b.at[0]) < a.half[0]+b.half[0]+gapM && math.Abs(a.at[1]-b.at[1]) < a.half[1]+b.half[1]+gapM {
			return false
		}
	}
	return true
}

// prepare makes the episode and lets it come to rest.
func prepare(items []item, open map[string]float64, q *robot.Joints) (*simulation, error) {
	things := make([]*layout.Thing, len(items))
	for i := range items {
		things[i] = items[i].thing
	}
	s, err := newSimulation(things)
	if err != nil {
		return nil, err
	}
	qpos, ctrl := s.data.QPos(), s.data.Ctrl()
	for i, at := range s.parts.joints.Position {
		qpos[at], ctrl[s.parts.joints.Actuator[i]] = q[i], q[i]
	}
	for i := range s.parts.drawers {
		d := &s.parts.drawers[i]
		qpos[d.qpos] = open[d.place.Name] * layout.DrawerStroke
	}
	poses := make([]robot.Pose, len(items))
	for i := range items {
		it := &items[i]
		lies := robot.Pose{
			Position:    robot.Vec3{it.at[0], it.at[1], it.thing.Size[2]/2 + 0.0005},
			Orientation: robot.AxisAngle(robot.Vec3{0, 0, 1}, it.yaw),
		}
		poses[i] = it.place.Frame(open[it.place.Name]).Mul(lies)
		s.put(i, poses[i])
	}
	for range settleSteps {
		if err := s.step(); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	for i := range items {
		if moved := s.pose(i).Position.Sub(poses[i].Position).Norm(); moved > driftM {
			return nil, errors.Join(fmt.Errorf("the %s does not stay where it is put: it moved %.3f m", things[i].Name, moved), s.close())
		}
	}
	return s, nil
}
