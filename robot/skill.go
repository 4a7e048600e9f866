package robot

import (
	"fmt"
	"strings"
)

// Skill is one thing the robot can be told to do: a skill of the catalogue
// and its arguments in the catalogue's order, such as place("red block",
// "blue bowl").
type Skill struct {
	Name string   `json:"name"`
	Args []string `json:"args,omitempty"`
}

// String writes the skill as a call, place(red block, blue bowl).
func (s Skill) String() string { return fmt.Sprintf("%s(%s)", s.Name, strings.Join(s.Args, ", ")) }

// Equal says whether s and t are the same call.
func (s Skill) Equal(t Skill) bool {
	if s.Name != t.Name || len(s.Args) != len(t.Args) {
		return false
	}
	for i := range s.Args {
		if s.Args[i] != t.Args[i] {
			return false
		}
	}
	return true
}

// Status is how far a skill has come.
type Status uint8

const (
	// Running: more chunks will follow.
	Running Status = iota
	// Succeeded: the skill reached what it is for.
	Succeeded
	// Failed: it did not and will not; Outcome.Reason says why.
	Failed
)

// String names the status as topics spell it.
func (s Status) String() string { return [...]string{"running", "succeeded", "failed"}[s] }

// Outcome is a status and, when failed, the reason in words for a person.
type Outcome struct {
	Status Status
	Reason string
}

// Object is one thing in the scene, as perceived (or, where a configuration
// says "scripted", as the simulator knows it).
type Object struct {
	// Name is unique in the scene and is what people and the catalogue call
	// it: "red block".
	Name string `json:"name"`
	// Kind is the class, "block"; Colour may be empty.
	Kind   string `json:"kind"`
	Colour string `json:"colour,omitempty"`
	// Pose in the robot's base frame; Size is the full extent, m.
	Pose Pose `json:"pose"`
	Size Vec3 `json:"size"`
	// On names what it rests on ("table", another object), In what it is
	// inside of; Held says that the gripper has it. At most one is set; none
	// while it falls.
	On   string `json:"on,omitempty"`
	In   string `json:"in,omitempty"`
	Held bool   `json:"held,omitempty"`
	// Open is how far a drawer or door stands open, 0 to 1.
	Open float64 `json:"open,omitempty"`
	// Dirt is how soiled a surface is, 0 to 1.
	Dirt float64 `json:"dirt,omitempty"`
	// Pressed says that a button was pressed, and shows it.
	Pressed bool `json:"pressed,omitempty"`
	// Confidence is the perceiver's, 0 to 1; 1 when scripted.
	Confidence float64 `json:"confidence"`
}

// Scene is what is where at one instant.
type Scene struct {
	At Time `json:"at"`
	// By names the perceiver: "scripted" when read from the simulator.
	By string `json:"by"`
	// Station names the object that a robot on wheels stands at, "floor" between
	// places; it is empty for a robot that cannot drive.
	Station string   `json:"station,omitempty"`
	Objects []Object `json:"objects"`
}

// Find gives the object called name.
func (s *Scene) Find(name string) (*Object, bool) {
	for i := range s.Objects {
		if s.Objects[i].Name == name {
			return &s.Objects[i], true
		}
	}
	return nil, false
}

// Held gives the object in the gripper.
func (s *Scene) Held() (*Object, bool) {
	for i := range s.Objects {
		if s.Objects[i].Held {
			return &s.Objects[i], true
		}
	}
	return nil, false
}
