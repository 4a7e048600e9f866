package confirm

import (
	"errors"
	"slices"
	"testing"

	"github.com/kuai-robot/kuai/perception/audio"
)

// judge keeps what it is asked.
type judge struct {
	ready, full bool
	asked       []*Question
}

func (j *judge) Ready() bool { return j.ready }

func (j *judge) Ask(q *Question) bool {
	if !j.full {
		j.asked = append(j.asked, q)
	}
	return !j.full
}

const (
	afterFrames    = int(After * audio.Rate / 1e9 / audio.Frame)
	patienceFrames = int(Patience * audio.Rate / 1e9 / audio.Frame)
)

// frames lets so many frames pass, the first with a hit of that score.
func (d *Doubter) frames(n int, score float32) (all []Verdict) {
	for i := range n {
		if i > 0 {
			score = 0
		}
		all = append(all, d.Step(make([]float32, audio.Frame), score))
	}
	return all
}

// only checks that all verdicts are the same.
func only(t *testing.T, what string, all []Verdict, want Verdict) {
	t.Helper()
	for i, v := range all {
		if v != want {
			t.Fatalf("%s: verdict %d after %d frames, want %d", what, v, i, want)
		}
	}
}

func newDoubter(ready bool) (*Doubter, *judge) {
	j := &judge{ready: ready}
	d := NewDoubter(j, 0.5, 0.97)
	d.frames(3, 0)
	return d, j
}

func TestSureHitStopsAtOnce(t *testing.T) {
	d, j := newDoubter(true)
	if got := d.frames(1, 0.98)[0]; got != Stop || len(j.asked) != 0 {
		t.Errorf("verdict %d, %d questions for a hit of 0.98", got, len(j.asked))
	}
}

// While nobody can answer the detector alone decides, at its own threshold.
func TestDetectorDecidesAlone(t *testing.T) {
	d, _ := newDoubter(false)
	only(t, "0.4", d.frames(50, 0.4), Nothing)
	if got := d.frames(1, 0.6)[0]; got != Stop {
		t.Errorf("verdict %d for 0.6", got)
	}
	d, j := newDoubter(true)
	j.full = true
	for score, want := range map[float32]Verdict{0.6: Stop, 0.4: Nothing} {
		d.stopped = 0
		all := d.frames(afterFrames+1, score)
		only(t, "before it is asked", all[:afterFrames], Hold)
		if all[afterFrames] != want {
			t.Errorf("verdict %d where too many wait, want %d for %g", all[afterFrames], want, score)
		}
	}
}

// The robot is held until there is an answer, and goes on or stops then.
func TestHeldUntilTheAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		score  float32
		answer Verdict
		err    error
		want   Verdict
	}{
		"confirmed":                     {0.2, Stop, nil, Stop},
		"refused":                       {0.9, Nothing, nil, Nothing},
		"broken, and the detector sure": {0.6, Nothing, errors.New("broken"), Stop},
		"broken":                        {0.2, Nothing, errors.New("broken"), Nothing},
	} {
		d, j := newDoubter(true)
		only(t, name, d.frames(afterFrames, c.score), Hold)
		if len(j.asked) != 0 {
			t.Fatalf("%s: asked before %v were heard", name, After)
		}
		only(t, name, d.frames(3, 0), Hold)
		if len(j.asked) != 1 || j.asked[0].Score != c.score {
			t.Fatalf("%s: %d questions", name, len(j.asked))
		}
		j.asked[0].Answer(c.answer, 0, c.err)
		if got := d.frames(1, 0)[0]; got != c.want {
			t.Errorf("%s: verdict %d, want %d", name, got, c.want)
		}
		only(t, name+", afterwards", d.frames(60, 0), Nothing)
	}
}

// Who is not sure is asked once more when more was heard, with what was answered
// first; that settles it, and where nobody answers it is a stop.
func TestUnsureIsAskedAgain(t *testing.T) {
	laterFrames := int(Later * audio.Rate / 1e9 / audio.Frame)
	lastPatience := int(LastPatience * audio.Rate / 1e9 / audio.Frame)
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		first  float64
		answer func(q *Question)
		frames int
		want   Verdict
	}{
		"a stop":         {-0.2, func(q *Question) { q.Answer(Stop, 1, nil) }, 1, Stop},
		"none":           {2, func(q *Question) { q.Answer(Nothing, -1, nil) }, 1, Nothing},
		"not sure still": {-0.2, func(q *Question) { q.Answer(Hold, 0, nil) }, 1, Stop},
		"broken":         {0.3, func(q *Question) { q.Answer(Nothing, 0, broken) }, 1, Stop},
		"silence":        {0.3, func(*Question) {}, lastPatience, Stop},
		"a queue":        {0.3, nil, 0, Stop},
	} {
		d, j := newDoubter(true)
		only(t, name, d.frames(afterFrames+1, 0.2), Hold)
		j.asked[0].Answer(Hold, c.first, nil)
		j.full = c.answer == nil
		all := d.frames(laterFrames-afterFrames, 0)
		if !j.full {
			only(t, name, all, Hold)
			if len(j.asked) != 2 {
				t.Fatalf("%s: %d questions", name, len(j.asked))
			}
			q := j.asked[1]
			if !q.Last || q.First != c.first || q.Score != 0.2 {
				t.Errorf("%s: asked %v, first %g, score %g", name, q.Last, q.First, q.Score)
			}
			c.answer(q)
			all = d.frames(c.frames, 0)
		}
		if got := all[len(all)-1]; got != c.want {
			t.Errorf("%s: verdict %d, want %d", name, got, c.want)
		}
		only(t, name+", afterwards", d.frames(60, 0), Nothing)
		if d.unsure {
			t.Errorf("%s: the next word is not asked about from the start", name)
		}
	}
}

// Who never answers does not hold the robot.
func TestPatience(t *testing.T) {
	for score, want := range map[float32]Verdict{0.6: Stop, 0.3: Nothing} {
		d, _ := newDoubter(true)
		held := afterFrames + patienceFrames
		only(t, "waiting", d.frames(held, score), Hold)
		if got := d.frames(1, 0)[0]; got != want {
			t.Errorf("score %g: verdict %d after %v, want %d", score, got, Patience, want)
		}
		if d.free != nil {
			t.Errorf("score %g: a question is used again while somebody holds it", score)
		}
	}
}

// A word of which the detector becomes surer is one question, with its best score,
// stops the robot once, and stops it again when it is said again.
func TestOneWordStopsOnce(t *testing.T) {
	d, j := newDoubter(true)
	stops := 0
	for range 2 {
		var all []Verdict
		for _, score := range []float32{0.2, 0.6, 0.4} {
			all = append(all, d.frames(2, score)...)
		}
		all = append(all, d.frames(afterFrames, 0)...)
		q := j.asked[len(j.asked)-1]
		if q.Score != 0.6 {
			t.Errorf("asked with a score of %g, want 0.6", q.Score)
		}
		q.Answer(Stop, 0, nil)
		for _, v := range append(all, d.frames(40, 0.9)...) {
			if v == Stop {
				stops++
			}
		}
	}
	if stops != 2 || len(j.asked) != 2 {
		t.Errorf("%d stops, %d questions for two words", stops, len(j.asked))
	}
}

// What is asked about is the newest sound, with silence before the first.
func TestQuestionHoldsTheNewestSound(t *testing.T) {
	d, j := newDoubter(true)
	loud := make([]float32, audio.Frame)
	for i := range loud {
		loud[i] = 0.5
	}
	d.Step(loud, 0.3)
	d.frames(afterFrames, 0)
	if len(j.asked) != 1 {
		t.Fatalf("%d questions", len(j.asked))
	}
	from := Longest - (afterFrames+1)*audio.Frame
	q := j.asked[0].Samples
	if slices.Max(q[:from]) != 0 || slices.Min(q[from:from+audio.Frame]) != 0.5 || slices.Max(q[from+audio.Frame:]) != 0 {
		t.Error("the loud frame is not where it was heard")
	}
	j.asked[0].Answer(Nothing, 0, nil)
	d.frames(1, 0)
	d.Reset()
	d.Step(loud, 0.3)
	d.frames(afterFrames, 0)
	if q := j.asked[1].Samples; slices.Max(q[:from]) != 0 {
		t.Error("sound from before Reset is asked about")
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	d, j := newDoubter(true)
	j.asked = make([]*Question, 0, 1000)
	frame := make([]float32, audio.Frame)
	if n := testing.AllocsPerRun(20, func() {
		d.Step(frame, 0.3)
		for range afterFrames {
			d.Step(frame, 0)
		}
		j.asked[len(j.asked)-1].Answer(Nothing, 0, nil)
		d.Step(frame, 0)
	}); n > 0 {
		t.Errorf("%g allocations", n)
	}
}
