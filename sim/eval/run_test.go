package eval_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/eval"
	"github.com/kuai-robot/kuai/sim/world"
)

// puppet is a robot that does what a script says for each turn: skills that
// work, "!skill" that does not, "~skill" that claims to but does not, ending
// in "done()", "(cause)" or neither.
type puppet struct {
	scene *robot.Scene
	turns []string
	says  []string
	turn  int
	seeds []uint64
	specs []world.Spec
	fail  error
}

func (p *puppet) Begin(_ context.Context, seed uint64, spec world.Spec) (*robot.Scene, error) {
	p.turn, p.seeds, p.specs = 0, append(p.seeds, seed), append(p.specs, spec)
	p.scene = &robot.Scene{By: "test"}
	for _, n := range []string{"red block", "green block", "blue bowl", "red bowl"} {
		p.scene.Objects = append(p.scene.Objects, robot.Object{Name: n, On: "table"})
	}
	return p.copy(), p.fail
}

func (p *puppet) copy() *robot.Scene {
	return &robot.Scene{By: "test", Objects: append([]robot.Object{}, p.scene.Objects...)}
}

func (p *puppet) Say(context.Context, string) (eval.Answer, error) {
	p.turn++
	a := eval.Answer{Said: p.says, Seconds: 2, Succeeded: true}
	for call := range strings.SplitSeq(p.turns[(p.turn-1)%len(p.turns)], ";") {
		call = strings.TrimSpace(call)
		if cause, ok := strings.CutPrefix(call, "("); ok {
			a.Succeeded, a.Cause = false, strings.TrimSuffix(cause, ")")
		} else if call != "" {
			a.Steps = append(a.Steps, p.step(call))
		}
	}
	a.Scene = p.copy()
	return a, nil
}

func (p *puppet) Do(_ context.Context, s robot.Skill) (eval.Answer, error) {
	step := p.step(s.String())
	return eval.Answer{Succeeded: step.Succeeded, Steps: []eval.Step{step}, Scene: p.copy(), Seconds: 1}, nil
}

func (p *puppet) step(call string) eval.Step {
	name := strings.TrimLeft(call, "!~")
	var c eval.Call
	if err := c.UnmarshalText([]byte(name)); err != nil {
		panic(err)
	}
	s := eval.Step{Skill: robot.Skill(c), Succeeded: call[0] != '!', Before: p.copy(), Ends: c.Name == "done"}
	var x *robot.Object
	if len(c.Args) > 0 {
		x, _ = p.scene.Find(c.Args[0])
	}
	worked := call == name
	switch c.Name {
	case "pick":
		s.Success = []robot.Predicate{{Name: "held", Args: c.Args}}
		if worked {
			x.Held, x.On, x.In = true, "", ""
		}
	case "place_in":
		s.Success = []robot.Predicate{{Name: "in", Args: c.Args}}
		if worked {
			x.Held, x.In = false, c.Args[1]
		}
	}
	s.After = p.copy()
	return s
}

const (
	pickRed  = "pick(red block)"
	placeRed = "place_in(red block, blue bowl)"
	suiteRed = `{"family":"direct","instruction":"x","goal":["in(red block, blue bowl)","untouched(*)"],"plans":[["pick(red block)","place_in(red block, blue bowl)"],["pick(red block)","place_in(red block, *)"]]}`
	suiteAsk = `{"family":"question","instruction":"x","goal":["untouched(*)","said(two, 2)"],"plans":[[]]}`
)

func read(t *testing.T, lines ...string) *eval.Suite {
	t.Helper()
	s, err := eval.Read("test", strings.NewReader(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestVerdicts(t *testing.T) {
	yes, no := true, false
	for _, tc := range []struct {
		name, suite, turn string
		says              string
		reached           bool
		plan, executed    *bool
		place             eval.Place
	}{
		{"as planned", suiteRed, pickRed + ";" + placeRed + ";done()", "", true, &yes, &yes, eval.Nowhere},
		{"other plan, goal missed", suiteRed, pickRed + ";place_in(red block, red bowl);done()", "", false, &yes, &yes, eval.AtExecute},
		{"retried", suiteRed, "!" + pickRed + ";" + pickRed + ";" + placeRed + ";done()", "", true, &yes, &yes, eval.Nowhere},
		{"dropped and picked again", suiteRed, pickRed + ";!" + placeRed + ";" + pickRed + ";" + placeRed + ";done()", "", true, &yes, &yes, eval.Nowhere},
		{"only claims to", suiteRed, pickRed + ";~" + placeRed + ";done()", "", false, &yes, &no, eval.AtExecute},
		{"gave up", suiteRed, "!" + pickRed + ";!" + pickRed + ";(execution)", "", false, &yes, &no, eval.AtExecute},
		{"wrong block", suiteRed, "pick(green block);done()", "", false, &no, &yes, eval.AtPlan},
		{"wrong block failed", suiteRed, "!pick(green block);(execution)", "", false, &no, &no, eval.AtPlan},
		{"ended too early", suiteRed, pickRed + ";done()", "", false, &no, &yes, eval.AtPlan},
		{"too much", suiteRed, pickRed + ";" + placeRed + ";pick(green block);done()", "", false, &no, &yes, eval.AtPlan},
		{"too slow", suiteRed, pickRed + ";(timeout)", "", false, &no, &yes, "timeout"},
		{"refused", suiteRed, "(guard)", "", false, &no, nil, eval.AtGuard},
		{"stopped", suiteRed, "(stopped)", "", false, &no, nil, "stopped"},
		{"goal reached by a detour", suiteRed, "pick(green block);pick(red block);" + placeRed + ";done()", "", false, &no, &yes, eval.AtPlan},
		{"answered", suiteAsk, "done()", "There are two, I think", true, &yes, nil, eval.Nowhere},
		{"refused and told why", suiteAsk, "(guard)", "(2)", true, &yes, nil, eval.Nowhere},
		{"part of a word", suiteAsk, "done()", "twofold", false, &yes, nil, eval.AtAnswer},
		{"silent", suiteAsk, "done()", "", false, &yes, nil, eval.AtAnswer},
		{"moved instead", suiteAsk, pickRed, "two", false, &no, &yes, eval.AtPlan},
	} {
		p := &puppet{turns: []string{tc.turn}, says: []string{tc.says}}
		var out *eval.Outcome
		_, err := eval.Run(context.Background(), read(t, tc.suite), p, eval.Options{Done: func(o *eval.Outcome) error { out = o; return nil }})
		if err != nil {
			t.Fatal(err)
		}
		same := func(a, b *bool) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }
		if out.Reached != tc.reached || !same(out.PlanRight, tc.plan) || !same(out.ExecutedRight, tc.executed) || out.Place != tc.place {
			verdict, _ := json.Marshal(out)
			t.Errorf("%s: reached %v, place %q\n%s", tc.name, out.Reached, out.Place, verdict)
		}
	}
}

func TestGoalWithAny(t *testing.T) {
	for goal, want := range map[string]bool{
		`in(red block, *)`: true, `in(green block, *)`: false, `not in(green block, *)`: true, `not in(*, blue bowl)`: false,
		`in(*, *)`: true, `untouched(*)`: false, `not untouched(*)`: true, `said(hello, bye)`: false, `not said(hello)`: true,
	} {
		p := &puppet{turns: []string{pickRed + ";" + placeRed}}
		s := read(t, `{"family":"x","instruction":"x","goal":["`+goal+`"]}`)
		r, err := eval.Run(context.Background(), s, p, eval.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.All.Success.Hits == 1; got != want {
			t.Errorf("%s is %v", goal, got)
		}
	}
}

func TestRunGoesThroughTheSuite(t *testing.T) {
	s := read(t, suiteRed, suiteAsk, `{"family":"talk","instruction":["x","y"],"goal":["held(red block)"]}`)
	run := func(o eval.Options) (*puppet, *eval.Report) {
		t.Helper()
		p := &puppet{turns: []string{pickRed}}
		r, err := eval.Run(context.Background(), s, p, o)
		if err != nil {
			t.Fatal(err)
		}
		return p, r
	}
	p, r := run(eval.Options{Episodes: 7, Seed: 100})
	if len(p.seeds) != 7 || p.seeds[0] != 100 || p.seeds[6] != 106 || r.All.Success.Of != 7 || len(r.Families) != 3 {
		t.Errorf("seeds %v, %d episodes", p.seeds, r.All.Success.Of)
	}
	if p, _ = run(eval.Options{}); len(p.seeds) != 3 {
		t.Errorf("without a number %d episodes ran, want each once", len(p.seeds))
	}
	if p, r = run(eval.Options{Given: true, Episodes: 4}); r.All.Success != (eval.Rate{Hits: 4, Of: 4}) || r.All.Plan.Of != 0 || r.All.MeanSeconds() != 2 {
		t.Errorf("given the right skills: %+v", r.All)
	}
	if _, err := eval.Run(context.Background(), read(t, suiteAsk), p, eval.Options{Given: true}); err == nil {
		t.Error("nothing to run, and no error")
	}
	broken := errors.New("broken")
	if _, err := eval.Run(context.Background(), s, &puppet{fail: broken}, eval.Options{}); !errors.Is(err, broken) || !strings.Contains(err.Error(), "seed 0") {
		t.Errorf("a fault of the harness: %v", err)
	}
	full := func(*eval.Outcome) error { return broken }
	if _, err := eval.Run(context.Background(), s, p, eval.Options{Done: full}); !errors.Is(err, broken) {
		t.Errorf("an episode that cannot be kept: %v", err)
	}
}

func TestReport(t *testing.T) {
	s := read(t, suiteRed, suiteAsk)
	p := &puppet{turns: []string{pickRed + ";" + placeRed + ";done()"}}
	dir := t.TempDir()
	r, err := eval.Run(context.Background(), s, p, eval.Options{Episodes: 4, Done: func(o *eval.Outcome) error { return eval.Keep(dir, o) }})
	if err != nil {
		t.Fatal(err)
	}
	var table, lines bytes.Buffer
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"suite test: 4 episodes", "2/4  50 % (15–85)", "question", "plan 2", "2.0"} {
		if !strings.Contains(table.String(), part) {
			t.Errorf("the table lacks %q:\n%s", part, table.String())
		}
	}
	if err := r.WriteJSON(&lines); err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for line := range strings.Lines(lines.String()) {
		var f eval.Figure
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatal(err)
		}
		values[f.Name] = f.Value
	}
	for name, want := range map[string]float64{
		"eval.test.plan": 0.5, "eval.test.success": 0.5, "eval.test.execute": 1, "eval.test.seconds": 2,
		"eval.test.direct.plan": 1, "eval.test.question.plan": 0, "eval.test.at.plan": 0.5,
	} {
		if got, ok := values[name]; !ok || got != want {
			t.Errorf("%s = %v, %v; want %v", name, got, ok, want)
		}
	}
	kept, err := filepath.Glob(filepath.Join(dir, "0000?-*.json"))
	if err != nil || len(kept) != 4 {
		t.Fatalf("kept %v, %v", kept, err)
	}
	data, err := os.ReadFile(kept[0])
	if err != nil || !strings.Contains(string(data), `"pick"`) {
		t.Errorf("%s, %v", data, err)
	}
}

// The values are those of the closed form worked out by hand, and 0 of 10 and
// 10 of 10 as tables give them.
func TestWilson(t *testing.T) {
	for _, tc := range []struct {
		rate      eval.Rate
		low, high float64
	}{
		{eval.Rate{Hits: 0, Of: 10}, 0, 0.2775},
		{eval.Rate{Hits: 10, Of: 10}, 0.7225, 1},
		{eval.Rate{Hits: 5, Of: 10}, 0.2366, 0.7634},
		{eval.Rate{Hits: 194, Of: 200}, 0.9361, 0.9862},
		{eval.Rate{}, 0, 1},
	} {
		if low, high := tc.rate.Wilson(); math.Abs(low-tc.low) > 5e-5 || math.Abs(high-tc.high) > 5e-5 {
			t.Errorf("%+v: %.4f to %.4f, want %.4f to %.4f", tc.rate, low, high, tc.low, tc.high)
		}
	}
}
