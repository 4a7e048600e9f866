package vla

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/ref"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/robot/hand"
)

// The fixtures are train/vla/fixture.py's.
type fixture struct {
	Phrase              string
	Words               []int32
	Time                float64
	Action, Done, Where []float64
	Sure, Judge         []float64
}

func readFixture(t *testing.T, dir string) fixture {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var f fixture
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func picture(name string, size [2]int, seed int) *robot.Frame {
	f := &robot.Frame{Camera: name, Width: size[1], Height: size[0]}
	for y := range size[0] {
		for x := range size[1] {
			for c := range 3 {
				f.Pixels = append(f.Pixels, byte(7*x+13*y+29*c+x*y/3+31*seed))
			}
		}
	}
	return f
}

func arm() *robot.Description { return &robot.Description{Name: "so101"} }

func open(t *testing.T, dir string, backend kernels.Backend, o kernels.Options) *Session {
	t.Helper()
	p, err := Open(dir, arm(), backend, o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.NewSession(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), p.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func input(c *Config, phrase string) *Input {
	in := &Input{Front: picture("front", c.Front, 1), Wrist: picture("wrist", c.Wrist, 2), Phrase: phrase}
	for i := range in.Features {
		in.Features[i] = float32(-1 + 2*float64(i)/(hand.Features-1))
	}
	return in
}

// What the graph computes is what PyTorch computes in f64.
func TestParity(t *testing.T) {
	for _, kind := range []string{"regression", "flow"} {
		dir := filepath.Join("testdata", kind)
		want := readFixture(t, dir)
		for name, backend := range map[string]kernels.Backend{"ref": ref.New(), "cpu": cpu.New(cpu.Options{Threads: 1})} {
			t.Run(kind+"/"+name, func(t *testing.T) {
				s := open(t, dir, backend, kernels.Options{})
				p, c := &s.policy.ports, s.policy.Config
				in := input(c, want.Phrase)
				if c.Flow {
					noise := s.session.F32(p.noise)
					for i := range noise {
						noise[i] = float32(-2 + 4*float64(i)/float64(len(noise)-1))
					}
					waves(want.Time, s.session.F32(p.time))
				}
				// Once through by hand, so that a flow's field is compared, not its end.
				if err := errors.Join(Shrink(s.session.U8(p.front), c.Front, in.Front), Shrink(s.session.U8(p.wrist), c.Wrist, in.Wrist)); err != nil {
					t.Fatal(err)
				}
				c.Encode(in.Phrase, s.session.I32(p.words))
				copy(s.session.F32(p.features), in.Features[:])
				if err := s.session.Run(context.Background()); err != nil {
					t.Fatal(err)
				}
				same(t, "action", s.session.F32(p.action), want.Action)
				same(t, "done", s.session.F32(p.done), want.Done)
				same(t, "where", s.session.F32(p.where), want.Where)
				same(t, "judge", s.session.F32(p.judge), want.Judge)
				out, err := s.read(s.session.F32(p.action))
				if err != nil {
					t.Fatal(err)
				}
				same(t, "sure", append(slices.Clone(out.Sure[0]), out.Sure[1]...), want.Sure)
				if out.Can != float64(s.session.F32(p.judge)[0]) || out.Holds != float64(s.session.F32(p.judge)[1]) {
					t.Errorf("can %g, holds %g of %v", out.Can, out.Holds, want.Judge)
				}
				for i, id := range s.session.I32(p.words) {
					if id != want.Words[i] {
						t.Errorf("word %d is %d, want %d", i, id, want.Words[i])
					}
				}
			})
		}
	}
}

func same(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i := range want {
		if d := math.Abs(float64(got[i]) - want[i]); !(d < 1e-4*(1+math.Abs(want[i]))) {
			t.Errorf("%s[%d] = %g, want %g", what, i, got[i], want[i])
			return
		}
	}
}

func TestPredict(t *testing.T) {
	s := open(t, "testdata/regression", cpu.New(cpu.Options{Threads: 1}), kernels.Options{})
	want := readFixture(t, "testdata/regression")
	c := s.policy.Config
	in := input(c, want.Phrase)
	out, err := s.Predict(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	first := out.Moves[0]
	if d := math.Abs(first.X - want.Action[0]*c.Scale[0]); d > 1e-5 {
		t.Errorf("the first move goes %g m in x, want %g", first.X, want.Action[0]*c.Scale[0])
	}
	if d := math.Abs(first.Grip - (want.Action[5]*c.Scale[5] + c.MiddleGrip)); d > 1e-6 {
		t.Errorf("the gripper goes to %g m", first.Grip)
	}
	if len(out.Moves) != c.Horizon || len(out.Done) != c.Horizon || out.Where[1][2] == 0 {
		t.Errorf("%d moves, %d done, where %v", len(out.Moves), len(out.Done), out.Where)
	}
	// A picture that is larger, and wider, is cut and averaged to the same one.
	big := &robot.Frame{Camera: "front", Width: 2*in.Front.Width + 20, Height: 2 * in.Front.Height}
	big.Pixels = make([]byte, 3*big.Width*big.Height)
	for y := range big.Height {
		for x := range big.Width {
			if sx := x - 10; sx >= 0 && sx < 2*in.Front.Width {
				copy(big.Pixels[3*(y*big.Width+x):][:3], in.Front.Pixels[3*(y/2*in.Front.Width+sx/2):][:3])
			}
		}
	}
	in.Front = big
	if out, err = s.Predict(context.Background(), in); err != nil || math.Abs(out.Moves[0].X-first.X) > 1e-6 {
		t.Errorf("from a larger picture the first move goes %g m in x, want %g (%v)", out.Moves[0].X, first.X, err)
	}
}

func TestPredictRefuses(t *testing.T) {
	s := open(t, "testdata/regression", ref.New(), kernels.Options{})
	in := input(s.policy.Config, "pick up the red block")
	for want, change := range map[string]func(in Input) Input{
		"needs the pictures": func(in Input) Input { in.Wrist = nil; return in },
		"bytes for":          func(in Input) Input { f := *in.Front; f.Pixels = f.Pixels[1:]; in.Front = &f; return in },
		"or more":            func(in Input) Input { in.Front = picture("front", [2]int{8, 8}, 1); return in },
	} {
		bad := change(*in)
		if _, err := s.Predict(context.Background(), &bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error about %q, got %v", want, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	other := arm()
	other.Name = "ur5"
	if _, err := Open("testdata/regression", other, ref.New(), kernels.Options{}); !errors.Is(err, ErrRobot) {
		t.Errorf("a policy for another robot gives %v", err)
	}
	config, err := os.ReadFile("testdata/regression/config.json")
	if err != nil {
		t.Fatal(err)
	}
	weights, err := os.ReadFile("testdata/regression/model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	for want, swap := range map[string][2]string{
		"model_type":     {`"kuai-vla-2"`, `"kuai-vla-9"`},
		"unknown field":  {`"width"`, `"widht"`},
		"layers":         {`"layers": 2`, `"layers": 0`},
		"shape":          {`"hidden": 48`, `"hidden": 64`},
		"no tensor":      {`"layers": 2`, `"layers": 3`},
		"multiple":       {`"heads": 4`, `"heads": 5`},
		"scale":          {`"middle_grip": 0.0175`, `"middle_grip": -1`},
		"unexpected eof": {"}\n", ""},
	} {
		dir := t.TempDir()
		text := strings.Replace(string(config), swap[0], swap[1], 1)
		if want == "unexpected eof" {
			text = text[:len(text)/2]
		}
		if err := errors.Join(os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o600), os.WriteFile(filepath.Join(dir, "model.safetensors"), weights, 0o600)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, arm(), ref.New(), kernels.Options{}); err == nil || !strings.Contains(strings.ToLower(err.Error()), want) {
			t.Errorf("%s → %s: want an error about %q, got %v", swap[0], swap[1], want, err)
		}
	}
}

// The look of a picture is the mean colours of its cells against the weights.
func TestUnlike(t *testing.T) {
	c, err := ReadConfig(os.DirFS("testdata/regression"))
	if err != nil {
		t.Fatal(err)
	}
	f := &robot.Frame{Camera: "front", Width: c.Front[1], Height: c.Front[0], Pixels: make([]byte, 3*c.Front[0]*c.Front[1])}
	for i := range f.Pixels {
		f.Pixels[i] = 200
		if i < len(f.Pixels)/2 {
			f.Pixels[i] = 50
		}
	}
	if unlike, err := c.Unlike(f); unlike != 0 || err != nil {
		t.Errorf("a camera that nobody knows is unlike by %g (%v)", unlike, err)
	}
	l := &Look{Weights: make([]float64, 3*lookRows*lookColumns), Bias: -0.5}
	for i := range l.Weights { // a picture that is brighter above is upside down
		l.Weights[i] = 1.0 / float64(len(l.Weights))
		if i >= len(l.Weights)/2 {
			l.Weights[i] = -l.Weights[i]
		}
	}
	c.Look = map[string]*Look{"front": l}
	if err := c.check(); err != nil {
		t.Fatal(err)
	}
	right, err := c.Unlike(f)
	if err != nil || right > 0 {
		t.Errorf("the right way up it is unlike by %g (%v)", right, err)
	}
	for i, j := 0, len(f.Pixels)-1; i < j; i, j = i+1, j-1 {
		f.Pixels[i], f.Pixels[j] = f.Pixels[j], f.Pixels[i]
	}
	if wrong, err := c.Unlike(f); err != nil || wrong < 1.3 {
		t.Errorf("upside down it is unlike by %g (%v)", wrong, err)
	}
	for _, bad := range []*Look{nil, {}, {Weights: l.Weights, Bias: math.NaN()}} {
		c.Look = map[string]*Look{"front": bad}
		if c.check() == nil {
			t.Errorf("a look of %+v is accepted", bad)
		}
	}
}

func FuzzConfig(f *testing.F) {
	for _, kind := range []string{"regression", "flow"} {
		data, err := os.ReadFile(filepath.Join("testdata", kind, "config.json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"model_type":"kuai-vla-2","width":1e99}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseConfig(data)
		if err != nil {
			return
		}
		out := make([]int32, c.Slots)
		c.Encode("pick up the red block and more words than any phrase has of its own", out)
		for _, id := range out {
			if id < 0 || int(id) >= len(c.Vocabulary) {
				t.Fatalf("word %d of %d", id, len(c.Vocabulary))
			}
		}
	})
}
