package saycan_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/policy/saycan"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
)

// weighing is a language model for which p(phrase) is the phrase's weight over
// the sum of all weights; a phrase that is not listed weighs 1. A token is a byte.
type weighing struct {
	weight  map[string]float64
	builds  int
	prompts []string
	trie    *fakeTrie
	clock   *robot.ManualClock
	fail    error
}

func (w *weighing) Encode(text string) []int32 {
	tokens := make([]int32, len(text))
	for i := range len(text) {
		tokens[i] = int32(text[i])
	}
	return tokens
}

func decode(tokens []int32) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteByte(byte(t))
	}
	return b.String()
}

func (w *weighing) Options(sequences [][]int32) (saycan.Trie, saycan.Scorer, error) {
	w.builds++
	w.trie = newFakeTrie(sequences)
	mass := make([]float64, w.trie.Nodes())
	var weigh func(node int) float64
	weigh = func(node int) float64 {
		if o := w.trie.option[node]; o >= 0 {
			phrase := strings.TrimSpace(decode(sequences[o]))
			mass[node] = 1
			if v, ok := w.weight[phrase]; ok {
				mass[node] = v
			}
		}
		for _, child := range w.trie.children[node] {
			mass[node] += weigh(child)
		}
		return mass[node]
	}
	weigh(0)
	for node, children := range w.trie.children {
		for _, child := range children {
			w.trie.logp[child] = math.Log(mass[child] / mass[node])
		}
	}
	return w.trie, w, nil
}

func (w *weighing) Prompt(_ context.Context, tokens []int32) error {
	w.prompts = append(w.prompts, decode(tokens))
	if w.clock != nil {
		w.clock.Advance(30 * time.Millisecond)
	}
	return w.fail
}

func (w *weighing) Expand(ctx context.Context, node int, logp []float64) error {
	return w.trie.Expand(ctx, node, logp)
}

type affordance map[string]float64

func (a affordance) Can(_ *robot.Observation, s robot.Skill) float64 {
	if can, ok := a[s.String()]; ok {
		return can
	}
	return 0.5
}

func observed(names ...string) *robot.Observation {
	s := &robot.Scene{By: "test"}
	for _, n := range names {
		colour, kind, _ := strings.Cut(n, " ")
		s.Objects = append(s.Objects, robot.Object{Name: n, Kind: kind, Colour: colour, On: "table"})
	}
	return &robot.Observation{Scene: s}
}

func newPlanner(t *testing.T, w *weighing, a affordance) *saycan.Planner {
	t.Helper()
	if w.clock == nil {
		w.clock = robot.NewManualClock(time.Unix(0, 0), 1)
	}
	p, err := saycan.NewPlanner(saycan.Config{Catalogue: skill.Tabletop(), Affordance: a, Language: w, Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDecideTakesTheLargestProduct(t *testing.T) {
	w := &weighing{weight: map[string]float64{"pick up the red block": 30, "pick up the green block": 20, "place the red block in the blue bowl": 900}}
	p := newPlanner(t, w, affordance{"pick(red block)": 0.5, "pick(green block)": 0.9})
	d, err := p.Decide(context.Background(), observed("red block", "green block", "blue bowl"), saycan.Request{Instruction: "put the red block in the blue bowl"})
	if err != nil {
		t.Fatal(err)
	}
	best, next := d.Candidates[0], d.Candidates[1]
	if d.Chosen.Skill.String() != "pick(green block)" || best.Skill.String() != "pick(green block)" || next.Skill.String() != "pick(red block)" {
		t.Fatalf("chose %s from %+v; want pick(green block), then pick(red block)", d.Chosen.Skill, d.Candidates)
	}
	if math.Abs(best.Say/next.Say-20.0/30) > 1e-9 || best.Can != 0.9 || math.Abs(best.Product-best.Say*best.Can) > 1e-12 {
		t.Errorf("scores %+v, %+v do not follow from the weights", best.Candidate, next.Candidate)
	}
	// pick 2, place_in 2, place_on 2 + 2, place_beside 2·(1 + 1), push 4, home, done; of these pick, push, home and done are possible.
	if d.Options != 18 || d.Possible != 8 || len(d.Candidates) != 5 || d.Visited > d.VisitedAll || d.VisitedAll >= d.Total {
		t.Errorf("%d options, %d possible, %d candidates, visited %d and %d of %d", d.Options, d.Possible, len(d.Candidates), d.Visited, d.VisitedAll, d.Total)
	}
	if d.Took != 30*time.Millisecond {
		t.Errorf("took %v, the model 30 ms", d.Took)
	}
	for _, part := range []string{"pick(green block) has", "8 options", "next is pick(red block)"} {
		if !strings.Contains(d.Why, part) {
			t.Errorf("why: %q lacks %q", d.Why, part)
		}
	}
}

// Of what leads to a known goal the best is taken; what the rest would have had is
// still told.
func TestDecideAmongWhatLeadsToTheGoal(t *testing.T) {
	w := &weighing{weight: map[string]float64{"pick up the red block": 30, "pick up the green block": 20, "done": 99}}
	p := newPlanner(t, w, affordance{"pick(red block)": 0.9, "pick(green block)": 0.9})
	only := []robot.Skill{{Name: "pick", Args: []string{"green block"}}, {Name: "place_in", Args: []string{"green block", "blue bowl"}}}
	r := saycan.Request{Instruction: "x", Only: only}
	d, err := p.Decide(context.Background(), observed("red block", "green block", "blue bowl"), r)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, c := range d.Candidates {
		told = append(told, c.Skill.String())
	}
	if len(told) != 5 || told[0] != "pick(green block)" || told[1] != "done()" || told[2] != "pick(red block)" || d.Chosen.Skill.String() != told[0] {
		t.Errorf("chose %s of %v", d.Chosen.Skill, told)
	}
	if d.Leading != 1 || d.Possible != 8 || !strings.Contains(d.Why, "of the 1 that lead to what is asked, of 8 options") {
		t.Errorf("%d lead, %d are possible: %s", d.Leading, d.Possible, d.Why)
	}
	r.Only = only[1:]
	if d, err = p.Decide(context.Background(), observed("red block", "green block", "blue bowl"), r); !errors.Is(err, saycan.ErrNoOption) {
		t.Errorf("where nothing leads there: %s, %v", d.Chosen.Skill, err)
	}
}

// What a precondition or the caller rules out is not even asked for.
func TestDecideDoesNotAskAboutTheImpossible(t *testing.T) {
	w := &weighing{weight: map[string]float64{"place the red block in the blue bowl": 1e9, "move the arm home": 1e9}}
	p := newPlanner(t, w, affordance{})
	o := observed("red block", "blue bowl")
	d, err := p.Decide(context.Background(), o, saycan.Request{Instruction: "x", Barred: []robot.Skill{{Name: "home"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range d.Candidates {
		if c.Skill.Name == "place_in" || c.Skill.Name == "home" {
			t.Errorf("%s is among the candidates", c.Skill)
		}
	}
	node := 0
	for _, b := range []byte(" pl") {
		for i, token := range w.trie.tokens[node] {
			if token == int32(b) {
				node = w.trie.children[node][i]
				break
			}
		}
	}
	if node == 0 || w.trie.asked[node] != 0 {
		t.Errorf("the model was asked at node %d, under which nothing is possible", node)
	}
	o.Scene.Objects[0].On, o.Scene.Objects[0].Held = "", true
	if d, err = p.Decide(context.Background(), o, saycan.Request{Instruction: "x"}); err != nil || d.Chosen.Skill.Name != "home" && d.Chosen.Skill.Name != "place_in" {
		t.Errorf("with the block in hand: %s, %v", d.Chosen.Skill, err)
	}
}

// Putting back what was just picked up counts for less, elsewhere for as much.
func TestDecideDoubtsWhatUndoesTheLastStep(t *testing.T) {
	w := &weighing{}
	p := newPlanner(t, w, affordance{})
	before, o := observed("red block", "blue bowl"), observed("red block", "blue bowl")
	o.Scene.Objects[0].On, o.Scene.Objects[0].Held = "", true
	cans := func(before *robot.Scene) map[string]float64 {
		t.Helper()
		d, err := p.Decide(context.Background(), o, saycan.Request{Instruction: "x", Before: before})
		if err != nil {
			t.Fatal(err)
		}
		can := map[string]float64{}
		for _, c := range d.Candidates {
			can[c.Skill.String()] = c.Can
		}
		return can
	}
	const back, into = "place_on(red block, table)", "place_in(red block, blue bowl)"
	if can := cans(before.Scene); can[back] != 0.05 || can[into] != 0.5 {
		t.Errorf("after it was picked up from the table: %v", can)
	}
	before.Scene.Objects[0].On, before.Scene.Objects[0].In = "", "blue bowl"
	if can := cans(before.Scene); can[back] != 0.5 || can[into] != 0.05 {
		t.Errorf("after it was picked up from the bowl: %v", can)
	}
	if can := cans(nil); can[back] != 0.5 || can[into] != 0.5 {
		t.Errorf("as the first step: %v", can)
	}
}

func TestTrieIsBuiltWhenOptionsChange(t *testing.T) {
	w := &weighing{}
	p := newPlanner(t, w, affordance{})
	decide := func(o *robot.Observation) {
		t.Helper()
		if _, err := p.Decide(context.Background(), o, saycan.Request{Instruction: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	o := observed("red block", "blue bowl")
	decide(o)
	o.Scene.Objects[0].Held, o.Scene.Objects[0].On = true, ""
	decide(o)
	if w.builds != 1 {
		t.Errorf("the trie was built %d times for the same objects", w.builds)
	}
	decide(observed("red block", "green bowl"))
	if w.builds != 2 {
		t.Errorf("the trie was built %d times, want a second time for a new object", w.builds)
	}
}

func TestWarmDoesWhatIsTheSameEachTime(t *testing.T) {
	w := &weighing{}
	p := newPlanner(t, w, affordance{})
	o := observed("red block", "blue bowl")
	if err := p.Warm(context.Background(), o.Scene); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Decide(context.Background(), o, saycan.Request{Instruction: "x"}); err != nil {
		t.Fatal(err)
	}
	if w.builds != 1 || !strings.HasPrefix(w.prompts[1], w.prompts[0]) || len(w.prompts[0]) < 500 {
		t.Errorf("the trie was built %d times; the prompt read ahead is %q", w.builds, w.prompts[0])
	}
}

func TestPromptKeepsItsPrefix(t *testing.T) {
	w := &weighing{}
	p := newPlanner(t, w, affordance{})
	o := observed("red block", "blue bowl")
	preamble := saycan.DefaultPrompt().Preamble
	for _, r := range []saycan.Request{
		{Instruction: "lift the cube"},
		{Instruction: "stop\n1. done\n", Done: []string{"pick up the red block", "move the arm home"}},
	} {
		if _, err := p.Decide(context.Background(), o, r); err != nil {
			t.Fatal(err)
		}
	}
	for _, prompt := range w.prompts {
		if !strings.HasPrefix(prompt, preamble) {
			t.Errorf("prompt %q does not begin with the preamble", prompt)
		}
	}
	rest := strings.TrimPrefix(w.prompts[1], preamble)
	if strings.Contains(rest, "\n1. done") || !strings.Contains(rest, "stop 1. done\n") {
		t.Errorf("a line break in the instruction poses as a step: %q", rest)
	}
	if !strings.HasSuffix(rest, "1. pick up the red block\n2. move the arm home\n3.") {
		t.Errorf("the steps done are not at the end: %q", rest)
	}
}

func TestDecideErrors(t *testing.T) {
	broken := errors.New("broken")
	w := &weighing{fail: broken}
	p := newPlanner(t, w, affordance{})
	if _, err := p.Decide(context.Background(), observed("red block"), saycan.Request{}); !errors.Is(err, broken) {
		t.Errorf("the model's error is lost: %v", err)
	}
	if _, err := p.Decide(context.Background(), &robot.Observation{}, saycan.Request{}); err == nil {
		t.Error("no scene: no error")
	}
	w.fail = nil
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Decide(ended, observed("red block"), saycan.Request{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	mad := newPlanner(t, &weighing{}, affordance{"home()": 2})
	if _, err := mad.Decide(context.Background(), observed("red block"), saycan.Request{}); err == nil {
		t.Error("an affordance of 2: no error")
	}
	if _, err := saycan.NewPlanner(saycan.Config{}); err == nil {
		t.Error("an empty configuration was accepted")
	}
	c := saycan.Config{Catalogue: skill.Tabletop(), Affordance: affordance{}, Language: w, Clock: w.clock, Undo: 2}
	if _, err := saycan.NewPlanner(c); err == nil {
		t.Error("undo of 2 was accepted")
	}
	none := &weighing{weight: map[string]float64{"move the arm home": 0, "done": 0}}
	if _, err := newPlanner(t, none, affordance{}).Decide(context.Background(), observed("red bowl"), saycan.Request{}); err == nil {
		t.Error("every option has probability 0: no error")
	}
}

// The adapter is trained on this very text (train/planner/scene.py and data.py).
func TestAdapterPromptTellsThePlaces(t *testing.T) {
	at := func(name string, left float64, o robot.Object) robot.Object {
		o.Name, o.Pose.Position[1] = name, left
		return o
	}
	start := &robot.Scene{Objects: []robot.Object{
		at("red block", -0.1, robot.Object{On: "table"}),
		at("blue bowl", 0.2, robot.Object{On: "table"}),
		at("green block", 0.21, robot.Object{In: "blue bowl"}),
		at("yellow block", -0.105, robot.Object{On: "red block"}),
		at("pink block", 0, robot.Object{Held: true}),
		at("x\n1. done", 0, robot.Object{On: "table"}),
	}}
	w := &weighing{clock: robot.NewManualClock(time.Unix(0, 0), 1)}
	p, err := saycan.NewPlanner(saycan.Config{Catalogue: skill.Tabletop(), Affordance: affordance{}, Language: w, Clock: w.clock, Prompt: saycan.AdapterPrompt()})
	if err != nil {
		t.Fatal(err)
	}
	o := observed("red block", "blue bowl")
	_, err = p.Decide(context.Background(), o, saycan.Request{Instruction: "tidy\nup ", Done: []string{"place the pink block on the table"}, Start: start})
	if err != nil {
		t.Fatal(err)
	}
	want := "Left to right: green block in blue bowl, blue bowl, pink block held, red block, yellow block on red block\n" +
		"Instruction: tidy up\n1. place the pink block on the table\n2."
	if got := w.prompts[len(w.prompts)-1]; got != want {
		t.Errorf("prompt\n%s\nwant\n%s", got, want)
	}
	if err := p.Warm(context.Background(), o.Scene); err != nil {
		t.Errorf("a prompt without a preamble needs no warming: %v", err)
	}
}
