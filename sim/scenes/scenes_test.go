package scenes

import (
	"encoding/binary"
	"encoding/json"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world"
)

func TestStatements(t *testing.T) {
	said := map[string]Statement{}
	held := map[Relation]int{}
	for _, s := range All() {
		yes, no := s.Affirm(), s.Deny()
		if len(yes) != len(no) || len(yes) < 2 {
			t.Errorf("%v: %q and %q", s, yes, no)
		}
		for i := range yes {
			if yes[i] == no[i] || !strings.Contains(yes[i], s.A) && s.A != something {
				t.Errorf("%v: %q and %q", s, yes[i], no[i])
			}
			for _, sentence := range []string{yes[i], no[i]} {
				if other, twice := said[sentence]; twice {
					t.Errorf("%q says both %v and %v", sentence, s, other)
				}
				said[sentence] = s
			}
		}
		if s.HeldOut() {
			held[s.Relation]++
		}
		if s.Unseen() && !s.HeldOut() {
			t.Errorf("%v is never seen, and yet trained with", s)
		}
	}
	for _, r := range []Relation{In, On, Holds, Left, Right} {
		if held[r] == 0 {
			t.Errorf("nothing of %q is held out", r)
		}
	}
	if held[There] > 0 || held[Left] != held[Right] {
		t.Errorf("held out are %v", held)
	}
	for _, s := range []Statement{{In, "red block", "bowl"}, {In, "green block", "green bowl"}, {Holds, "blue block", ""}} {
		if !s.HeldOut() {
			t.Errorf("%v is trained with", s)
		}
	}
}

// A scene that is written down, and what is true in it.
func TestJudge(t *testing.T) {
	v := View{
		Scene: &robot.Scene{Objects: []robot.Object{
			{Name: "red block", Kind: "block", In: "blue bowl"}, {Name: "green block", Kind: "block", On: "table"},
			{Name: "yellow block", Kind: "block", On: "green block"}, {Name: "blue bowl", Kind: "bowl", On: "table"},
			{Name: "red bowl", Kind: "bowl", On: "table"}, {Name: "black cylinder", Kind: "cylinder", Held: true},
			{Name: "drawer", Kind: "drawer", Open: 0.4},
		}},
		At: map[string][2]float64{
			"red block": {0.3, 0.5}, "blue bowl": {0.31, 0.5}, "green block": {0.6, 0.5}, "yellow block": {0.6, 0.45},
			"red bowl": {0.99, 0.5}, "black cylinder": {0.5, 0.2},
		},
	}
	for s, want := range map[Statement]Truth{
		{There, "red block", ""}: True, {There, "white cylinder", ""}: False, {There, "red bowl", ""}: Unknown,
		{In, "red block", "bowl"}: True, {In, "red block", "blue bowl"}: True, {In, "red block", "red bowl"}: False,
		{In, "green block", "bowl"}: False, {In, something, "blue bowl"}: True, {In, something, "red bowl"}: False,
		{On, "yellow block", "block"}: True, {On, "yellow block", "green block"}: True, {On, "yellow block", "table"}: False,
		{On, "green block", "table"}: True, {Holds, "black cylinder", ""}: True, {Holds, "red block", ""}: False, {Holds, something, ""}: True,
		{Left, "red block", "green block"}: True, {Right, "red block", "green block"}: False, {Left, "red block", "blue bowl"}: Unknown,
		{Right, "green block", "red block"}: True, {Left, "white cylinder", "red block"}: False,
		{Empty, "blue bowl", ""}: False, {Empty, "red bowl", ""}: True, {Empty, "green bowl", ""}: Unknown,
		{Open, "drawer", ""}: Unknown,
	} {
		if got := v.Judge(s); got != want {
			t.Errorf("%v: %d, want %d", s, got, want)
		}
	}
	v.Scene.Objects[6].Open = 0.9
	if v.Judge(Statement{Open, drawer, ""}) != True || v.Judge(Statement{Shut, drawer, ""}) != False {
		t.Error("a drawer that stands open is not")
	}
	if v.Names(Statement{In, "red block", "green bowl"}) || !v.Names(Statement{In, "red block", "red bowl"}) || !v.Names(Statement{On, "red block", "table"}) {
		t.Error("what is named is wrong")
	}
}

func gallery(t *testing.T, unseen bool) *Gallery {
	t.Helper()
	g, err := New(world.Options{Renderer: "osmesa"}, unseen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// Pictures repeat to the bit, and what is held out is seen where it should be.
func TestGallery(t *testing.T) {
	digest := func(g *Gallery, from, to uint64, look func(*Picture)) (sum uint64) {
		h := fnv.New64a()
		for seed := from; seed < to; seed++ {
			if err := g.Take(seed, func(p *Picture) error { h.Write(p.Pixels); look(p); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		return h.Sum64()
	}
	unseenIn := func(p *Picture) bool {
		return slices.ContainsFunc(All(), func(s Statement) bool { return s.Unseen() && p.View.Judge(s) == True })
	}
	g, pictures, relations := gallery(t, false), 0, map[Relation]int{}
	look := func(p *Picture) {
		pictures++
		if unseenIn(p) {
			t.Errorf("seed %d shows what is never to be seen", p.Seed)
		}
		for _, s := range All() {
			if p.View.Judge(s) == True {
				relations[s.Relation]++
			}
		}
	}
	first := digest(g, 0, 6, look)
	digest(g, 6, 30, look)
	for _, r := range Relations() {
		if relations[r] == 0 {
			t.Errorf("nothing of %q in %d pictures", r, pictures)
		}
	}
	if again := digest(g, 0, 6, func(*Picture) {}); pictures < 20 || again != first {
		t.Errorf("%d pictures, not the same ones twice", pictures)
	}
	shown, of := 0, 0
	digest(gallery(t, true), 40, 52, func(p *Picture) {
		if of++; unseenIn(p) {
			shown++
		}
	})
	if 3*shown < of {
		t.Errorf("%d of %d pictures show what is held out", shown, of)
	}
}

func TestShards(t *testing.T) {
	dir := t.TempDir()
	s, err := NewShards(dir)
	if err != nil {
		t.Fatal(err)
	}
	g := gallery(t, false)
	if err := g.Take(2, s.Add); err != nil {
		t.Fatal(err)
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "shard-00000.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(data)
	var header struct {
		Pictures, Truth struct{ Shape []int }
		Meta            map[string]string `json:"__metadata__"`
	}
	if err := json.Unmarshal(data[8:8+n], &header); err != nil {
		t.Fatal(err)
	}
	var entries []entry
	if err := json.Unmarshal([]byte(header.Meta["statements"]), &entries); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(header.Pictures.Shape, []int{1, Height, Width, 3}) || !slices.Equal(header.Truth.Shape, []int{1, len(All())}) {
		t.Errorf("shapes %v and %v", header.Pictures.Shape, header.Truth.Shape)
	}
	if len(entries) != len(All()) || len(entries[0].Affirm) == 0 || !slices.Contains(data[8+n:], byte(True)) {
		t.Errorf("%d statements", len(entries))
	}
	if _, err := NewShards(dir); err == nil {
		t.Error("a folder that has pictures is written into")
	}
}
