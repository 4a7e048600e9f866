package demos

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/expert"
	"github.com/kuai-robot/kuai/sim/world"
)

func newStudio(t *testing.T) *Studio {
	t.Helper()
	s, err := NewStudio(world.Options{Renderer: "osmesa"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// digest is a Sink that remembers everything in a number.
type digest struct {
	frames int
	sum    uint64
}

func (d *digest) Begin(*Episode) error { return nil }

func (d *digest) Add(f *Frame) error {
	h := fnv.New64a()
	fmt.Fprint(h, d.sum, f.State.Position, f.State.Velocity, f.State.Effort, f.Ahead, f.Skill, f.Step)
	h.Write(f.Front)
	h.Write(f.Wrist)
	d.frames, d.sum = d.frames+1, h.Sum64()
	return nil
}

func (d *digest) End([]bool) error { return nil }

// Without noise the teacher does what it is asked, with it nearly always.
func TestTeacher(t *testing.T) {
	s := newStudio(t)
	for _, family := range Families() {
		worked, episodes := 0, 0
		for seed := range uint64(2) {
			for _, noise := range []float64{0, 1} {
				e := s.Draw(seed, Mix{family: 1}, world.Training())
				e.Moved = "" // that is another test's
				success, err := s.Run(&e, &Teacher{Noise: noise}, &digest{})
				if errors.Is(err, ErrSkip) {
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				ok := len(success) == len(e.Skills) && success[len(success)-1]
				if noise == 0 && !ok {
					t.Errorf("%s, seed %d: %v did not work", family, seed, e.Skills)
				}
				episodes++
				if ok {
					worked++
				}
			}
		}
		if worked < episodes-1 {
			t.Errorf("%s: %d of %d episodes worked", family, worked, episodes)
		}
	}
}

// Somebody moves the block or the bowl, and the teacher goes after it.
func TestTeacherFollowsWhatIsMoved(t *testing.T) {
	s := newStudio(t)
	moved := 0
	for seed := uint64(0); moved < 3 && seed < 400; seed++ {
		e := s.Draw(seed, Mix{Put: 1}, world.Vary{})
		if e.Moved == "" {
			continue
		}
		moved++
		if success, err := s.Run(&e, &Teacher{}, &digest{}); err != nil || !success[len(success)-1] {
			t.Errorf("seed %d: %v, the %s moved at step %d: %v, %v", seed, e.Skills, e.Moved, e.AtStep, success, err)
		}
	}
	if moved < 3 {
		t.Errorf("only %d episodes had something moved", moved)
	}
}

// A seed gives the same episode to the bit, whatever ran before.
func TestSeedsRepeat(t *testing.T) {
	s := newStudio(t)
	play := func(seed uint64) digest {
		var d digest
		e := s.Draw(seed, DefaultMix(), world.Training())
		if _, err := s.Run(&e, &Teacher{Noise: 1}, &d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	first, other, again := play(3), play(4), play(3)
	if first != again {
		t.Errorf("seed 3 gave %v and then %v", first, again)
	}
	if first.sum == other.sum || first.frames == 0 {
		t.Errorf("seeds 3 and 4 gave %v and %v", first, other)
	}
}

func TestHeldOutIsNeverAskedFor(t *testing.T) {
	s := newStudio(t)
	asked := map[string]bool{}
	for seed := range uint64(3000) {
		e := s.Draw(seed, DefaultMix(), world.Vary{})
		last := e.Skills[len(e.Skills)-1]
		if HeldOut(last) {
			t.Fatalf("seed %d asks for %s", seed, last)
		}
		asked[last.Name] = true
		if err := e.Spec.Validate(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	if len(asked) != 6 {
		t.Errorf("asked for %v", asked)
	}
	if n := len(Combinations(Put, true)) + len(Combinations(Put, false)); n != len(blockNames)*len(bowlNames) {
		t.Errorf("%d pairs of block and bowl", n)
	}
}

func TestMix(t *testing.T) {
	for _, bad := range []Mix{{}, {Put: 0}, {"juggle": 1}, {Put: -1}} {
		if bad.Validate() == nil {
			t.Errorf("%v is accepted", bad)
		}
	}
	if err := DefaultMix().Validate(); err != nil {
		t.Error(err)
	}
}

// header reads what a shard says of itself.
func header(t *testing.T, path string) (columns map[string]struct{ Shape []int }, meta map[string]string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(data)
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data[8:8+n], &raw); err != nil {
		t.Fatal(err)
	}
	columns = map[string]struct{ Shape []int }{}
	for name, text := range raw {
		var c struct{ Shape []int }
		if name == "__metadata__" {
			err = json.Unmarshal(text, &meta)
		} else {
			err = json.Unmarshal(text, &c)
			columns[name] = c
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return columns, meta
}

func TestShards(t *testing.T) {
	s := newStudio(t)
	dir := t.TempDir()
	keep, err := NewShards(dir, s.world.Description(), robot.Skill.String)
	if err != nil {
		t.Fatal(err)
	}
	frames := 0
	for seed := range uint64(3) {
		e := s.Draw(seed, Mix{Press: 1}, world.Training())
		var d digest
		if _, err := s.Run(&e, &Teacher{}, &both{keep, &d}); err != nil {
			t.Fatal(err)
		}
		frames += d.frames
		if seed == 1 { // one that was broken off leaves no trace
			if err := keep.Begin(&e); err != nil {
				t.Fatal(err)
			}
			keep.Abandon()
		}
	}
	if err := errors.Join(keep.Flush(), keep.Flush()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "shard-00000.safetensors")
	columns, meta := header(t, path)
	if got := columns["front"].Shape; len(got) != 4 || got[0] != frames || got[1] != FrontHeight {
		t.Errorf("front has shape %v, %d frames were played", got, frames)
	}
	if meta["phrases"] != `["press(button)"]` || meta["seeds"] != `["0","1","2"]` {
		t.Errorf("metadata %v", meta)
	}
	var things [][]string
	if err := json.Unmarshal([]byte(meta["things"]), &things); err != nil || len(things) != 3 || !slices.Contains(things[0], "button") {
		t.Errorf("the things are %v (%v)", things, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasSuffix(data, bytes.Repeat([]byte{1}, 5)) {
		t.Error("the last episode worked, and its last frames do not say so")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.part")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
	// The next ones come after it.
	next, err := NewShards(dir, s.world.Description(), robot.Skill.String)
	if err != nil || next.next != 1 {
		t.Errorf("the next shard is number %d (%v)", next.next, err)
	}
}

// both is two sinks.
type both struct{ a, b Sink }

func (s *both) Begin(e *Episode) error   { return errors.Join(s.a.Begin(e), s.b.Begin(e)) }
func (s *both) Add(f *Frame) error       { return errors.Join(s.a.Add(f), s.b.Add(f)) }
func (s *both) End(success []bool) error { return errors.Join(s.a.End(success), s.b.End(success)) }

// What the teacher sees ahead, it does: the label of a frame is the motion that
// follows where nothing disturbs it.
func TestAheadIsWhatFollows(t *testing.T) {
	s := newStudio(t)
	e := s.Draw(2, Mix{Put: 1}, world.Vary{})
	e.Moved = ""
	var frames []Frame
	if _, err := s.Run(&e, &Teacher{}, &collector{&frames}); err != nil {
		t.Fatal(err)
	}
	worst := 0.0
	for i := range len(frames) - 4 {
		if f, later := &frames[i], &frames[i+4]; f.Skill.Equal(later.Skill) && f.Ahead.DoneAt >= 4 {
			worst = max(worst, f.Ahead.Hands[3].Position().Sub(later.Hand.Position()).Norm())
		}
	}
	if worst > 0.03 {
		t.Errorf("four steps on the hand was %.3f m from where the advice had it", worst)
	}
}

type collector struct{ frames *[]Frame }

func (c *collector) Begin(*Episode) error { return nil }
func (c *collector) Add(f *Frame) error   { *c.frames = append(*c.frames, *f); return nil }
func (c *collector) End([]bool) error     { return nil }

func TestReflexRefuses(t *testing.T) {
	s := newStudio(t)
	r, err := expert.NewReflex(s.world.Description())
	if err != nil {
		t.Fatal(err)
	}
	scene := s.world.Scene()
	for call, want := range map[string]string{
		"wave()": "not among", "pick(red block, blue bowl)": "arguments", "pick(cup)": "no cup", "push(red block, up)": "left or right",
		"place_in(red block, green block)": "not taught", "place_on(red block, table)": "not taught",
	} {
		p, err := robot.ParsePredicate(call)
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.Next(robot.Skill{Name: p.Name, Args: p.Args}, &expert.Sight{Scene: scene})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want an error about %q, got %v", call, want, err)
		}
	}
	if _, err := r.Next(robot.Skill{Name: "pick", Args: []string{"red block"}}, &expert.Sight{}); err == nil {
		t.Error("without a scene there is advice")
	}
}
