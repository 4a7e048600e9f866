package task_test

import (
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/policy/task"
	"github.com/kuai-robot/kuai/robot"
)

// kitchen is a household: each line a place and what is there.
func kitchen(extra ...string) *robot.Scene {
	s := &robot.Scene{By: "test", Station: "floor"}
	for _, p := range []string{"table:surface", "near counter:surface", "far counter:surface", "shelf:surface", "bin:bin", "basket:basket", "sink:sink", "top drawer:drawer", "bottom drawer:drawer", "user:person"} {
		name, kind, _ := strings.Cut(p, ":")
		o := robot.Object{Name: name, Kind: kind, Confidence: 1}
		if kind != "drawer" {
			o.Open = 1
		}
		if kind == "surface" {
			o.Dirt = 0.5
		}
		s.Objects = append(s.Objects, o)
	}
	if len(extra) == 0 {
		extra = []string{
			"red apple@table", "green apple@table", "cola can@table", "blue mug@table", "empty can@table",
			"banana@far counter", "orange@far counter", "water bottle@far counter", "scissors@far counter",
			"soda can@near counter", "chip bag@near counter", "white mug@near counter", "kettle@near counter",
			"sponge@sink", "toy car@shelf", "bleach bottle@shelf", "pill bottle@shelf", "cookie box@shelf",
			"spoon@top drawer", "fork@top drawer", "knife@top drawer", "chocolate bar@bottom drawer",
		}
	}
	for _, e := range extra {
		name, place, _ := strings.Cut(e, "@")
		o := robot.Object{Name: name, Kind: kinds[name], Confidence: 1}
		if first, _, two := strings.Cut(name, " "); two && strings.Contains(" red green blue white ", " "+first+" ") {
			o.Colour = first
		}
		p, _ := s.Find(place)
		if p.Kind == "surface" || p.Kind == "person" {
			o.On = place
		} else {
			o.In = place
		}
		s.Objects = append(s.Objects, o)
	}
	return s
}

var kinds = map[string]string{
	"cola can": "drink", "soda can": "drink", "water bottle": "drink", "juice box": "drink", "milk carton": "drink",
	"red apple": "fruit", "green apple": "fruit", "banana": "fruit", "orange": "fruit", "lemon": "fruit",
	"chip bag": "snack", "cookie box": "snack", "chocolate bar": "snack", "rice cracker": "snack",
	"blue mug": "dish", "white mug": "dish", "dinner plate": "dish", "soup bowl": "dish", "spoon": "cutlery", "fork": "cutlery",
	"knife": "sharp", "scissors": "sharp", "sponge": "sponge", "bleach bottle": "chemical", "kettle": "hot",
	"crumpled paper": "waste", "empty can": "waste", "pill bottle": "medicine", "toy car": "toy",
}

func tabletop(names ...string) *robot.Scene {
	s := &robot.Scene{By: "test"}
	for i, n := range names {
		n, where, _ := strings.Cut(n, "@")
		colour, kind, _ := strings.Cut(n, " ")
		o := robot.Object{Name: n, Kind: kind, Colour: colour, On: "table", Confidence: 1}
		o.Pose.Position[0] = 0.2 * float64(i)
		if where != "" {
			o.On, o.In = "", where
			if strings.HasSuffix(where, "block") {
				o.On, o.In = where, ""
			}
		}
		s.Objects = append(s.Objects, o)
	}
	return s
}

// apply makes a goal so, as a robot without faults would.
func apply(s *robot.Scene, goal []robot.Predicate) {
	for _, p := range goal {
		switch p.Name {
		case "on", "in":
			o, _ := s.Find(p.Args[0])
			o.On, o.In, o.Held = "", "", false
			if p.Name == "on" {
				o.On = p.Args[1]
			} else {
				o.In = p.Args[1]
			}
		case "held":
			o, _ := s.Find(p.Args[0])
			o.On, o.In, o.Held = "", "", true
		case "open", "closed":
			o, _ := s.Find(p.Args[0])
			o.Open = map[string]float64{"open": 1}[p.Name]
		case "clean":
			o, _ := s.Find(p.Args[0])
			o.Dirt = 0
		case "pressed":
			o, _ := s.Find(p.Args[0])
			o.Pressed = true
		}
	}
}

// carry carries a meaning out on s and tells what was done, or said.
func carry(t *testing.T, in *task.Interpreter, text string, s *robot.Scene) string {
	t.Helper()
	m := in.Interpret(text, s, 0)
	switch {
	case m.Asks:
		return "? " + m.Say
	case m.Refuse != "":
		return "! " + m.Refuse
	case m.Say != "":
		return m.Say
	}
	var did []string
	for _, k := range m.Tasks {
		for range 20 {
			item, why, ok := k.Next(s)
			if !ok {
				break
			}
			in.Started(&item, why, s)
			if k.Whole() {
				item.Instruction = "~ " + item.Instruction
			}
			did = append(did, item.Instruction)
			apply(s, item.Goal)
		}
	}
	in.Ended("")
	return strings.Join(did, "; ")
}

func interpreter(t *testing.T, c *skill.Catalogue) *task.Interpreter {
	t.Helper()
	in, err := task.New(task.Config{Catalogue: c})
	if err != nil {
		t.Fatal(err)
	}
	return in
}
