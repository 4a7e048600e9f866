package eval

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world"
)

// Bounds of a suite file.
const (
	maxLineBytes = 64 << 10
	maxEpisodes  = 100_000
	maxTurns     = 32
	maxObjects   = 64
	maxPlans     = 200
	maxPlanSteps = 64
	maxFamily    = 32
)

// Any is the argument that stands for any object.
const Any = "*"

// Suite is the content of one suite file.
type Suite struct {
	Name     string
	Episodes []Episode
}

// Episode is one line of a suite.
type Episode struct {
	Family      string            `json:"family"`
	Instruction Turns             `json:"instruction"`
	Scene       world.Spec        `json:"scene,omitzero"`
	Goal        []robot.Predicate `json:"goal"`
	Plans       [][]Call          `json:"plans,omitempty"`
	// Moved is what somebody does while the robot is at it.
	Moved *Disturbance `json:"moved,omitempty"`
	// Line is where it stands in its file.
	Line int `json:"-"`
}

// Disturbance is an object that somebody moves.
type Disturbance struct {
	Object string     `json:"object"`
	To     [2]float64 `json:"to"` // m
	// After is how many seconds after the robot began.
	After float64 `json:"after"`
}

// Turns is what is said to the robot, one after the other; one turn is written
// as a string.
type Turns []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *Turns) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		*t = make(Turns, 1)
		return json.Unmarshal(data, &(*t)[0])
	}
	return json.Unmarshal(data, (*[]string)(t))
}

// MarshalJSON implements json.Marshaler.
func (t Turns) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

// Call is one step of a plan, written pick(red block); an argument may be Any.
type Call robot.Skill

// MarshalText implements encoding.TextMarshaler.
func (c Call) MarshalText() ([]byte, error) { return []byte(robot.Skill(c).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Call) UnmarshalText(text []byte) error {
	p, err := robot.ParsePredicate(string(text))
	if err != nil || p.Not {
		return fmt.Errorf("step %q: want skill(argument, …), such as pick(red block)", text)
	}
	*c = Call{Name: p.Name, Args: p.Args}
	return nil
}

// fits says whether s is the call.
func (c Call) fits(s robot.Skill) bool {
	return c.Name == s.Name && slices.EqualFunc(c.Args, s.Args, func(want, is string) bool { return want == Any || want == is })
}

// Read reads and checks a suite; name is what errors and figures call it. An
// instruction is not judged here: bad ones may be what a suite is for.
func Read(name string, r io.Reader) (*Suite, error) {
	s := &Suite{Name: name}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLineBytes)
	n := 0
	for lines.Scan() {
		n++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		e, err := readEpisode(line)
		if err != nil {
			return nil, fmt.Errorf("suite %s: line %d: %w", name, n, err)
		}
		if len(s.Episodes) == maxEpisodes {
			return nil, fmt.Errorf("suite %s: line %d: more than %d episodes", name, n, maxEpisodes)
		}
		e.Line = n
		s.Episodes = append(s.Episodes, e)
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, fmt.Errorf("suite %s: line %d: longer than %d bytes", name, n+1, maxLineBytes)
	} else if err != nil {
		return nil, fmt.Errorf("suite %s: line %d: %w", name, n+1, err)
	}
	if len(s.Episodes) == 0 {
		return nil, fmt.Errorf("suite %s: no episodes", name)
	}
	return s, nil
}

func readEpisode(line []byte) (Episode, error) {
	var e Episode
	if !utf8.Valid(line) {
		return e, errors.New("not UTF-8")
	}
	if err := unmarshal(line, &e); err != nil {
		return e, err
	}
	return e, e.validate()
}

func (e *Episode) validate() error {
	if e.Family == "" || len(e.Family) > maxFamily || strings.Trim(e.Family, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return fmt.Errorf("family %q: want 1 to %d of a–z, 0–9, - and _", e.Family, maxFamily)
	}
	if n := len(e.Instruction); n == 0 || n > maxTurns {
		return fmt.Errorf("instruction: %d turns, want 1 to %d", n, maxTurns)
	}
	if err := validateScene(&e.Scene); err != nil {
		return fmt.Errorf("scene: %w", err)
	}
	if m := e.Moved; m != nil && (m.Object == "" || !finite(m.To[:]) || !finite([]float64{m.After}) || m.After < 0) {
		return errors.New("moved: want an object, a place on the table and a time not before 0")
	}
	if len(e.Goal) == 0 {
		return errors.New("goal: is missing: without one nothing can be judged")
	}
	for _, p := range e.Goal {
		if err := checkGoal(p); err != nil {
			return fmt.Errorf("goal: %w", err)
		}
	}
	if len(e.Plans) > maxPlans {
		return fmt.Errorf("plans: %d, at most %d", len(e.Plans), maxPlans)
	}
	for i, plan := range e.Plans {
		if len(plan) > maxPlanSteps {
			return fmt.Errorf("plans: plan %d has %d steps, at most %d", i, len(plan), maxPlanSteps)
		}
		for _, c := range plan {
			if i == 0 && slices.Contains(c.Args, Any) {
				return fmt.Errorf("plans: the first plan is what is run by itself, so %s must name its objects", robot.Skill(c))
			}
		}
	}
	return nil
}

func validateScene(s *world.Spec) error {
	if len(s.Objects) > maxObjects || len(s.Arm) > robot.MaxJoints {
		return fmt.Errorf("%d objects and %d joints, at most %d and %d", len(s.Objects), len(s.Arm), maxObjects, robot.MaxJoints)
	}
	if s.Objects != nil && len(s.Objects) == 0 || s.Arm != nil && len(s.Arm) == 0 {
		return errors.New("an empty list: leave the key out for all objects, or the arm at home")
	}
	seen := map[string]bool{}
	for i, o := range s.Objects {
		switch {
		case o.Name == "":
			return fmt.Errorf("objects[%d]: name is missing", i)
		case seen[o.Name]:
			return fmt.Errorf("objects[%d]: %q stands there twice", i, o.Name)
		case o.On != "" && o.In != "":
			return fmt.Errorf("objects[%d] (%s): is it on the %s or in the %s?", i, o.Name, o.On, o.In)
		case o.On == o.Name || o.In == o.Name:
			return fmt.Errorf("objects[%d] (%s): cannot be on or in itself", i, o.Name)
		case o.Position != nil && !finite(o.Position[:]):
			return fmt.Errorf("objects[%d] (%s): position is not finite", i, o.Name)
		}
		seen[o.Name] = true
	}
	if !finite(s.Arm) {
		return errors.New("arm: a joint is not finite")
	}
	return nil
}

func finite(vs []float64) bool {
	return !slices.ContainsFunc(vs, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
}

// Families lists the families in the order of their first episodes.
func (s *Suite) Families() []string {
	var families []string
	for i := range s.Episodes {
		if !slices.Contains(families, s.Episodes[i].Family) {
			families = append(families, s.Episodes[i].Family)
		}
	}
	return families
}
