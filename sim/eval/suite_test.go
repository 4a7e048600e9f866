package eval_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/sim/eval"
)

const one = `{"family":"direct","instruction":"put it there","goal":["in(red block, blue bowl)"]}`

func TestReadRefuses(t *testing.T) {
	line := func(more string) string { return strings.TrimSuffix(one, "}") + "," + more + "}" }
	for _, tc := range []struct{ name, jsonl, says string }{
		{"nothing", "# only a comment\n\n", "no episodes"},
		{"not JSON", "x", "line 1: broken JSON"},
		{"cut off", "\n" + one[:30], "line 2: broken JSON"},
		{"not UTF-8", "{\"family\":\"\xff\"}", "UTF-8"},
		{"unknown key", line(`"plan":[]`), `line 1: unknown key "plan" (did you mean "plans"?)`},
		{"key in another case", line(`"Scene":{}`), `unknown key "Scene"`},
		{"unknown key inside", line(`"scene":{"objects":[{"nam":"x"}]}`), `scene.objects[0]: unknown key "nam" (did you mean "name"?)`},
		{"key twice", line(`"goal":["held(x)"]`), `key "goal" stands there twice`},
		{"object for a string", `{"family":{"x":1}}`, "family: an object where a plain value belongs"},
		{"number for a string", `{"family":1}`, "family: cannot hold a number"},
		{"two values", one + one, "something follows"},
		{"no family", `{"instruction":"x","goal":["held(x)"]}`, "family"},
		{"family", strings.Replace(one, "direct", "../etc", 1), "family"},
		{"no instruction", `{"family":"x","goal":["held(x)"]}`, "0 turns"},
		{"no goal", `{"family":"x","instruction":"x"}`, "goal: is missing"},
		{"goal name", strings.Replace(one, "in(", "inside(", 1), `did you mean`},
		{"goal arity", strings.Replace(one, "in(red block, blue bowl)", "held()", 1), "takes 1 arguments"},
		{"goal syntax", strings.Replace(one, "in(red block, blue bowl)", "held", 1), "want name"},
		{"said nothing", strings.Replace(one, "in(red block, blue bowl)", "said()", 1), "must be said"},
		{"step syntax", line(`"plans":[["pick"]]`), "want skill(argument"},
		{"any in the first plan", line(`"plans":[["pick(*)"]]`), "must name its objects"},
		{"no objects", line(`"scene":{"objects":[]}`), "scene: an empty list"},
		{"no joints", line(`"scene":{"arm":[]}`), "scene: an empty list"},
		{"object without a name", line(`"scene":{"objects":[{"in":"x"}]}`), "objects[0]: name is missing"},
		{"object twice", line(`"scene":{"objects":[{"name":"x"},{"name":"x"}]}`), "twice"},
		{"on and in", line(`"scene":{"objects":[{"name":"x","on":"y","in":"z"}]}`), "is it on the y or in the z"},
		{"on itself", line(`"scene":{"objects":[{"name":"x","on":"x"}]}`), "itself"},
		{"long line", line(`"scene":{"arm":[` + strings.Repeat("0,", 40_000) + `0]}`), "line 1: longer than"},
	} {
		if _, err := eval.Read("s", strings.NewReader(tc.jsonl)); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v; want an error with %q", tc.name, err, tc.says)
		}
	}
}

func TestReadTakesDialoguesAndScenes(t *testing.T) {
	s, err := eval.Read("s", strings.NewReader("# head\n\n"+`{"family":"talk","instruction":["take the red one","no, the blue one"],`+
		`"scene":{"objects":[{"name":"red block","position":[0.2,-0.1]},{"name":"blue block","on":"red block"}],"arm":[0,0.5]},`+
		`"goal":["held(blue block)","not said(no)"],"plans":[["pick(blue block)"],[]]}`))
	if err != nil {
		t.Fatal(err)
	}
	e := s.Episodes[0]
	if len(e.Instruction) != 2 || e.Line != 3 || e.Scene.Objects[0].Position[1] != -0.1 || len(e.Plans) != 2 || e.Plans[0][0].Args[0] != "blue block" {
		t.Errorf("%+v", e)
	}
}

func TestTabletopSuite(t *testing.T) {
	s := eval.Tabletop()
	count := map[string]int{}
	seen := map[string]bool{}
	for i := range s.Episodes {
		e := &s.Episodes[i]
		count[e.Family]++
		if text := strings.Join(e.Instruction, "/"); seen[text] {
			t.Errorf("line %d: %q is there twice", e.Line, text)
		} else {
			seen[text] = true
		}
		if len(e.Plans) == 0 {
			t.Errorf("line %d: no plans", e.Line)
		}
	}
	for _, family := range []string{"direct", "noun_free", "two_step", "stack", "push", "clear", "negation", "question"} {
		if count[family] < 10 {
			t.Errorf("family %s has %d episodes", family, count[family])
		}
	}
	if got := s.Families(); len(got) != len(count) || got[0] != "direct" {
		t.Errorf("families %v", got)
	}
}

// What prompts are chosen by must not be what they are judged by.
func TestDevelopmentSharesNoSentence(t *testing.T) {
	file, err := os.Open("testdata/development.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	development, err := eval.Read("development", file)
	if err != nil {
		t.Fatal(err)
	}
	plain := func(e *eval.Episode) string {
		return strings.Join(strings.FieldsFunc(strings.ToLower(strings.Join(e.Instruction, " ")), func(r rune) bool { return r < 'a' || r > 'z' }), " ")
	}
	unseen := map[string]int{}
	suite := eval.Tabletop()
	for i := range suite.Episodes {
		unseen[plain(&suite.Episodes[i])] = suite.Episodes[i].Line
	}
	for i := range development.Episodes {
		e := &development.Episodes[i]
		if line, ok := unseen[plain(e)]; ok {
			t.Errorf("line %d: %q is line %d of the built-in suite", e.Line, e.Instruction[0], line)
		}
	}
}

func FuzzRead(f *testing.F) {
	builtIn, err := os.ReadFile("tabletop.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	lines := bytes.Split(builtIn, []byte("\n"))
	for i := 3; i < len(lines); i += len(lines) / 8 {
		f.Add(lines[i])
	}
	f.Add([]byte(one))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := eval.Read("fuzz", bytes.NewReader(data))
		if err != nil {
			return
		}
		for i := range s.Episodes {
			line, err := json.Marshal(s.Episodes[i])
			if err != nil {
				t.Fatalf("what was read cannot be written: %v", err)
			}
			again, err := eval.Read("again", bytes.NewReader(line))
			if err != nil {
				t.Fatalf("what was written cannot be read: %v\n%s", err, line)
			}
			again.Episodes[0].Line = s.Episodes[i].Line
			if second, _ := json.Marshal(again.Episodes[0]); !reflect.DeepEqual(line, second) {
				t.Fatalf("written %s\nread and written %s", line, second)
			}
		}
	})
}
