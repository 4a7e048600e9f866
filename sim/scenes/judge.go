package scenes

import (
	"strings"

	"github.com/kuai-robot/kuai/robot"
)

// Truth of a statement in a picture.
type Truth byte

// Truths. Unknown is what the picture does not decide: nearly beside each other,
// a drawer half open, what is not there to be either.
const (
	False Truth = iota
	True
	Unknown
)

// Where the truth is no matter of a hair's breadth.
const (
	asideLeast  = 0.04 // of the picture's width
	openLeast   = 0.6
	closedMost  = 0.15
	edgeOfFrame = 0.02
)

// View is a scene and where its objects show in the picture, as shares of its
// width and height; what shows nowhere is not in At.
type View struct {
	Scene *robot.Scene
	At    map[string][2]float64
}

func (v *View) object(name string) *robot.Object {
	for i := range v.Scene.Objects {
		if v.Scene.Objects[i].Name == name {
			return &v.Scene.Objects[i]
		}
	}
	return nil
}

func truth(b bool) Truth {
	if b {
		return True
	}
	return False
}

// Judge gives the truth of s in v.
func (v *View) Judge(s Statement) Truth {
	if s.A == something {
		return truth(v.anything(s))
	}
	a := v.object(s.A)
	if s.Relation == Empty || s.Relation == Open || s.Relation == Shut {
		return v.state(s, a)
	}
	if a == nil {
		return False
	}
	if at, ok := v.At[s.A]; !ok || at[0] < edgeOfFrame || at[0] > 1-edgeOfFrame {
		return Unknown
	}
	switch s.Relation {
	case There:
		return True
	case In:
		return truth(a.In == s.B || s.B == anyBowl && a.In != "")
	case On:
		return truth(a.On == s.B || s.B == anyBlock && strings.HasSuffix(a.On, anyBlock))
	case Holds:
		return truth(a.Held)
	}
	return v.beside(s)
}

// anything says whether some object is held, or in a bowl.
func (v *View) anything(s Statement) bool {
	for i := range v.Scene.Objects {
		o := &v.Scene.Objects[i]
		if s.Relation == Holds && o.Held || s.Relation == In && o.In == s.B {
			return true
		}
	}
	return false
}

// state judges what is said of a bowl or of the drawer, a.
func (v *View) state(s Statement, a *robot.Object) Truth {
	switch {
	case a == nil:
		return Unknown
	case s.Relation == Empty:
		return truth(!v.anything(Statement{In, something, s.A}))
	case a.Open > closedMost && a.Open < openLeast:
		return Unknown
	}
	return truth((a.Open >= openLeast) == (s.Relation == Open))
}

// beside judges which of two things is further left in the picture.
func (v *View) beside(s Statement) Truth {
	if v.object(s.B) == nil {
		return False
	}
	a := v.At[s.A]
	b, ok := v.At[s.B]
	aside := b[0] - a[0]
	if s.Relation == Right {
		aside = -aside
	}
	if !ok || aside > -asideLeast && aside < asideLeast {
		return Unknown
	}
	return truth(aside > 0)
}

// Names says whether all that s names is in the scene, so that it could be so; that
// something is not there is said of what is not.
func (v *View) Names(s Statement) bool {
	for _, name := range []string{s.A, s.B} {
		switch name {
		case "", anyBowl, anyBlock, something, table:
			continue
		}
		if s.Relation != There && v.object(name) == nil {
			return false
		}
	}
	return true
}
