package daemon

import (
	"slices"
	"testing"

	"github.com/kuai-robot/kuai/fusion/listen"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/keyword"
)

func newDoubter(ready bool) *doubter {
	o := newOpinions(nil)
	o.ready.Store(ready)
	d := &doubter{opinions: o, alone: 0.5}
	d.hear(make([]float32, audio.Frame))
	return d
}

// later lets so many frames pass and gives the hits that came with them.
func (d *doubter) later(frames int) (hits []listen.Hit) {
	for range frames {
		d.hear(make([]float32, audio.Frame))
		hits = d.answers(hits)
	}
	return hits
}

func TestDoubtful(t *testing.T) {
	g := doubtful(keyword.Group{Name: "stop", Words: []string{"stop"}, Threshold: 0.5})
	if want := []float32{0.25, 0.5, 0.75, sureAlone}; g.Threshold != doubt || !slices.Equal(g.Again, want) {
		t.Errorf("from %g, again at %v, want %g and %v", g.Threshold, g.Again, float32(doubt), want)
	}
	// A robot that is told to be more easily convinced is.
	if g := doubtful(keyword.Group{Threshold: 0.05}); g.Threshold != 0.05 || slices.Contains(g.Again, 0.05) {
		t.Errorf("from %g, again at %v for 0.05", g.Threshold, g.Again)
	}
	if g := doubtful(keyword.Group{Threshold: 0.99}); !slices.IsSorted(g.Again) || !slices.Contains(g.Again, 0.99) {
		t.Errorf("again at %v for 0.99", g.Again)
	}
}

func TestSureHitAsksNobody(t *testing.T) {
	d := newDoubter(true)
	if !d.doubt(listen.Hit{Score: 0.98}) || len(d.opinions.questions) != 0 {
		t.Error("a hit of 0.98 was doubted")
	}
}

// While no model is loaded the detector alone decides, at its own threshold.
func TestDetectorDecidesAlone(t *testing.T) {
	d := newDoubter(false)
	if d.doubt(listen.Hit{Score: 0.4}) || !d.doubt(listen.Hit{Score: 0.6}) {
		t.Error("without a second opinion, 0.4 must be none and 0.6 a stop")
	}
	if len(d.opinions.questions) == 0 {
		t.Error("nobody was asked, so that nobody would ever load the model")
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name   string
		score  float32
		answer int32
		want   int
	}{
		{"confirmed", 0.2, isStop, 1},
		{"refused", 0.9, isNone, 0},
		{"nobody knows, the detector does", 0.6, unknown, 1},
		{"nobody knows", 0.2, unknown, 0},
	} {
		d := newDoubter(true)
		if d.doubt(listen.Hit{Word: "stop", Score: c.score}) {
			t.Fatalf("%s: believed before it was asked about", c.name)
		}
		if got := d.later(2); len(got) != 0 {
			t.Errorf("%s: %v before an answer", c.name, got)
		}
		(<-d.opinions.questions).answer.Store(c.answer)
		got := d.later(1)
		if len(got) != c.want || c.want == 1 && got[0].Late != 3*audio.Frame*1e9/audio.Rate {
			t.Errorf("%s: %v, want %d, late by three frames", c.name, got, c.want)
		}
		if got := d.later(10); len(got) != 0 {
			t.Errorf("%s: %v once more", c.name, got)
		}
	}
}

// What the detector would believe does not wait for a machine that is busy.
func TestPatience(t *testing.T) {
	frames := int(patience.Seconds()*audio.Rate)/audio.Frame + 1
	for score, want := range map[float32]int{0.6: 1, 0.3: 0} {
		d := newDoubter(true)
		d.doubt(listen.Hit{Score: score})
		if got := d.later(frames); len(got) != want {
			t.Errorf("score %g: %d hits after %d frames without an answer, want %d", score, len(got), frames, want)
		}
		if len(d.asked) != 0 || len(d.free) != 0 {
			t.Errorf("score %g: %d questions are kept, %d are free while somebody holds one", score, len(d.asked), len(d.free))
		}
	}
}

// A queue that is full is nobody's answer.
func TestQuestionsAreBounded(t *testing.T) {
	d := newDoubter(true)
	for range questionsAtOnce {
		d.doubt(listen.Hit{Score: 0.3})
	}
	if !d.doubt(listen.Hit{Score: 0.6}) || d.doubt(listen.Hit{Score: 0.3}) {
		t.Error("with a full queue, 0.6 must stop and 0.3 must not")
	}
}

// A word that was asked about several times stops the robot once; when it is said
// again it stops it again.
func TestOneWordStopsOnce(t *testing.T) {
	d := newDoubter(true)
	hits := 0
	for range 2 {
		for range 3 {
			d.doubt(listen.Hit{Score: 0.4})
		}
		for len(d.opinions.questions) > 0 {
			(<-d.opinions.questions).answer.Store(isStop)
		}
		hits += len(d.later(30))
	}
	if hits != 2 {
		t.Errorf("%d stops for two words", hits)
	}
}
