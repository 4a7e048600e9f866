package skill_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
	"pgregory.net/rapid"
)

// table gives the objects of the default scene, all on the table.
func table() *robot.Scene {
	s := &robot.Scene{By: "test"}
	for _, colour := range []string{"red", "green", "blue", "yellow"} {
		s.Objects = append(s.Objects, robot.Object{Name: colour + " block", Kind: "block", Colour: colour, On: "table"})
	}
	for _, colour := range []string{"red", "green", "blue"} {
		s.Objects = append(s.Objects, robot.Object{Name: colour + " bowl", Kind: "bowl", Colour: colour, On: "table"})
	}
	return s
}

func TestTabletopExpandsToWhatIsThere(t *testing.T) {
	c := skill.Tabletop()
	options, err := c.Options(table())
	if err != nil {
		t.Fatal(err)
	}
	// pick 4, place_in 4·3, place_on 4·3 + 4, place_beside 4·(3 + 3), push 4·2, home, done
	if want := 4 + 12 + 16 + 24 + 8 + 2; len(options) != want {
		t.Errorf("%d options, want %d", len(options), want)
	}
	few := &robot.Scene{Objects: table().Objects[:1]}
	options, err = c.Options(few)
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	for i := range options {
		calls = append(calls, options[i].Skill.String())
	}
	want := "pick(red block); place_on(red block, table); push(red block, left); push(red block, right); home(); done()"
	if got := strings.Join(calls, "; "); got != want {
		t.Errorf("with one block: %s\nwant %s", got, want)
	}
}

func TestPossibleFollowsTheScene(t *testing.T) {
	c, scene := skill.Tabletop(), table()
	possible := func(name string, args ...string) bool {
		t.Helper()
		o, err := c.Find(scene, robot.Skill{Name: name, Args: args})
		if err != nil {
			t.Fatal(err)
		}
		return o.Possible(scene)
	}
	if !possible("pick", "red block") || possible("place_in", "red block", "blue bowl") || !possible("push", "red block", "left") {
		t.Error("with an empty hand: want pick and push possible, place not")
	}
	scene.Objects[0].On, scene.Objects[0].Held = "", true
	if possible("pick", "green block") || !possible("place_in", "red block", "blue bowl") || possible("place_in", "green block", "blue bowl") {
		t.Error("with the red block held: want only it placed")
	}
	scene.Objects[1].On = "blue block"
	if possible("place_on", "red block", "blue block") || !possible("place_on", "red block", "green block") {
		t.Error("a block that carries another is not clear")
	}
	o, _ := c.Find(scene, robot.Skill{Name: "pick", Args: []string{"green block"}})
	if why, ok := o.Obstacle(scene); !ok || why != "pick(green block) needs empty_hand()" {
		t.Errorf("Obstacle = %q, %v", why, ok)
	}
}

func TestFindSaysWhatThereIs(t *testing.T) {
	c, scene := skill.Tabletop(), table()
	for _, tc := range []struct {
		skill robot.Skill
		says  string
	}{
		{robot.Skill{Name: "juggle"}, "pick, place_in"},
		{robot.Skill{Name: "pick", Args: []string{"purple block"}}, "pick(red block)"},
		{robot.Skill{Name: "pick", Args: []string{"red bowl"}}, "pick(yellow block)"},
		{robot.Skill{Name: "place_on", Args: []string{"red block", "red block"}}, "no such call"},
	} {
		if _, err := c.Find(scene, tc.skill); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("Find(%s) = %v, want an error with %q", tc.skill, err, tc.says)
		}
	}
}

func TestObjectsWithUnfitNamesGetNoOptions(t *testing.T) {
	c := skill.Tabletop()
	for _, name := range []string{"", "red block\n2. done", "block, done", " red", "a  b", "x.", strings.Repeat("x", 65), "\xff", "{block}"} {
		scene := &robot.Scene{Objects: []robot.Object{{Name: name, Kind: "block"}}}
		options, err := c.Options(scene)
		if err != nil || len(options) != 2 {
			t.Errorf("%q: %d options, %v; want home and done alone", name, len(options), err)
		}
	}
	twice := &robot.Scene{Objects: []robot.Object{{Name: "block", Kind: "block"}, {Name: "block", Kind: "block"}}}
	if _, err := c.Options(twice); err == nil {
		t.Error("two objects of one name were accepted")
	}
}

// With any terminator after each, no phrase is the beginning of another.
func TestTerminatedPhrasesAreNotPrefixes(t *testing.T) {
	c := skill.Tabletop()
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,5}( [a-z]{1,5}){0,2}`), 1, 6, rapid.ID).Draw(t, "names")
		scene := &robot.Scene{}
		for _, n := range names {
			kind := rapid.SampledFrom([]string{"block", "bowl"}).Draw(t, "kind")
			scene.Objects = append(scene.Objects, robot.Object{Name: n, Kind: kind})
		}
		options, err := c.Options(scene)
		if err != nil {
			t.Skip(err) // names such as "a" and "a next to b" make two phrases read the same
		}
		for _, end := range skill.Terminators {
			for i := range options {
				for j := range options {
					if i != j && strings.HasPrefix(options[j].Phrase+string(end), options[i].Phrase+string(end)) {
						t.Fatalf("%q is a prefix of %q", options[i].Phrase, options[j].Phrase)
					}
				}
			}
		}
	})
}

func TestReadRefuses(t *testing.T) {
	const done = "\n  - {name: done, phrase: done, ends: true}\n"
	for _, tc := range []struct{ name, yaml, says string }{
		{"unknown key", "nam: x\nskills:" + done, `did you mean "name"`},
		{"unknown key inside", "skills:\n  - {name: pick, phrase: pick, sucess: []}" + done, `line 2: unknown key "sucess" (did you mean "success"?)`},
		{"no skills", "name: x", "0 skills"},
		{"no end", "skills:\n  - {name: pick, phrase: pick}", "ends: true"},
		{"two ends", "skills:" + done + done[1:], "2 skills have ends"},
		{"name", "skills:\n  - {name: Pick It, phrase: pick}" + done, "small letters"},
		{"terminator", "skills:\n  - {name: pick, phrase: 'pick, then'}" + done, "comma"},
		{"slot missing in phrase", "skills:\n  - {name: pick, phrase: pick, slots: [{name: a, kinds: [b]}]}" + done, "must name {a} once"},
		{"slot unknown in phrase", "skills:\n  - {name: pick, phrase: 'pick {a}'}" + done, "has 1 slots"},
		{"slot empty", "skills:\n  - {name: pick, phrase: 'pick {a}', slots: [{name: a}]}" + done, "kinds or words"},
		{"slot twice", "skills:\n  - {name: pick, phrase: 'pick {a}', slots: [{name: a, kinds: [b]}, {name: a, kinds: [b]}]}" + done, "used twice"},
		{"word", "skills:\n  - {name: go, phrase: 'go {a}', slots: [{name: a, words: ['x, y']}]}" + done, "plain words"},
		{"predicate", "skills:\n  - {name: pick, phrase: pick, when: ['hold(a)']}" + done, `did you mean "held"`},
		{"predicate slot", "skills:\n  - {name: pick, phrase: pick, when: ['held({a})']}" + done, `no slot "a"`},
		{"predicate syntax", "skills:\n  - {name: pick, phrase: pick, when: ['held']}" + done, "want name"},
		{"alias", "skills: &a\n  - {name: done, phrase: done, ends: true}\ncolours: *a", "anchors"},
		{"mapping for a scalar", "name: {x: y}\nskills:" + done, "plain value"},
		{"not YAML", "\t{", "tabs.yaml"},
		{"too long", strings.Repeat("#", 1<<20) + "\n", "longer than"},
	} {
		_, err := skill.Read("tabs.yaml", strings.NewReader(tc.yaml))
		if err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v; want an error with %q", tc.name, err, tc.says)
		}
	}
}

func FuzzRead(f *testing.F) {
	builtIn, err := os.ReadFile("tabletop.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(builtIn)
	f.Add([]byte("name: x\nskills:\n  - {name: done, phrase: done, ends: true}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := skill.Read("fuzz", bytes.NewReader(data))
		if err != nil {
			return
		}
		options, err := c.Options(table())
		if err != nil {
			return
		}
		for i := range options {
			if strings.ContainsAny(options[i].Phrase, skill.Terminators) {
				t.Fatalf("phrase %q contains a terminator", options[i].Phrase)
			}
			options[i].Possible(table())
		}
	})
}
