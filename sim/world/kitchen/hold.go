package kitchen

import (
	"math"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world/kitchen/layout"
)

// When the cup takes what it touches, and when it loses it.
const (
	touchM     = 0.001 // between the rim and what it takes
	squarely   = 0.93  // cosine between the rod and the face that is met
	suctionN   = 60.0  // with which what is held may pull at the cup, down or aside
	bellowsM   = 0.014 // that what is held may hang away from where it was taken
	bellowsRad = 0.45
	nothing    = math.MinInt
)

// hold is what the cup holds: a thing, a drawer (ownerDrawers less its index), or
// nothing, and how it lies to the wrist.
type hold struct {
	what int
	weld int
	pose robot.Pose
}

// suck takes, keeps or loses what is at the cup, by where it is after a step.
func (s *simulation) suck() error {
	draws := s.data.QPos()[s.parts.joints.Position[layout.Valve]] < layout.ValveEdge
	switch {
	case s.hold.what == nothing && draws:
		return s.take()
	case s.hold.what != nothing && (!draws || s.torn()):
		weld := s.hold.weld
		s.hold.what = nothing
		return s.data.Release(weld)
	}
	return nil
}

// take holds what the rim of the cup touches squarely.
func (s *simulation) take() error {
	var err error
	if s.touches, err = s.data.Contacts(s.touches); err != nil {
		return err
	}
	tool := s.data.SitePose(s.parts.tool)
	up := tool.Orientation.Rotate(robot.Vec3{0, 0, 1})
	for i := range s.touches {
		c := &s.touches[i]
		other := c.Geom[0] + c.Geom[1] - s.parts.cup
		if c.Geom[0] != s.parts.cup && c.Geom[1] != s.parts.cup || c.Distance > touchM || math.Abs(c.Normal.Dot(up)) < squarely {
			continue
		}
		what := s.parts.owner[other]
		if what == ownerOther || !s.under(what, tool.Position) {
			continue
		}
		wrist := s.data.BodyPose(s.parts.wrist)
		body, name := s.held(what)
		pose := s.data.BodyPose(body)
		back := robot.Pose{Orientation: wrist.Orientation.Inverse()}
		back.Position = back.Orientation.Rotate(wrist.Position.Scale(-1))
		s.hold = hold{what: what, weld: s.parts.weld[name], pose: back.Mul(pose)}
		return s.data.SetWeld(s.model, s.hold.weld, s.hold.pose)
	}
	return nil
}

// held gives the body and name of what the cup may hold.
func (s *simulation) held(what int) (body int, name string) {
	if what >= 0 {
		return s.parts.body[what], s.things[what].Name
	}
	d := &s.parts.drawers[ownerDrawers-what]
	return d.body, d.place.Name
}

// under says that the middle of the cup is over what it touches, so that its rim
// closes well enough.
func (s *simulation) under(what int, tool robot.Vec3) bool {
	if what < 0 {
		return true // a handle is as narrow as the contact itself
	}
	pose := s.pose(what)
	p := pose.Orientation.Inverse().Rotate(tool.Sub(pose.Position))
	outside := 0
	for k := range p {
		if math.Abs(p[k]) > s.things[what].Size[k]/2 {
			outside++
		}
	}
	return outside <= 1 // along the face that is met
}

// torn says that what is held pulls more than the vacuum holds, some 60 kPa on the
// cup's face, or hangs farther away than the bellows give.
func (s *simulation) torn() bool {
	if force, err := s.data.WeldForce(s.hold.weld); err == nil {
		up := s.data.BodyPose(s.parts.wrist).Orientation.Rotate(robot.Vec3{0, 0, 1})
		along := force.Dot(up)
		if along < -suctionN || force.Sub(up.Scale(along)).Norm() > suctionN {
			return true
		}
	}
	body, _ := s.held(s.hold.what)
	is, should := s.data.BodyPose(body), s.data.BodyPose(s.parts.wrist).Mul(s.hold.pose)
	if is.Position.Sub(should.Position).Norm() > bellowsM {
		return true
	}
	turn := is.Orientation.Inverse().Mul(should.Orientation)
	return 2*math.Acos(min(math.Abs(turn[0]), 1)) > bellowsRad
}
