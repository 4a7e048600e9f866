package daemon

import (
	"slices"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/fusion/confirm"
	"github.com/kuai-robot/kuai/fusion/listen"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/keyword"
)

func TestDoubtful(t *testing.T) {
	g := doubtful(keyword.Group{Name: "stop", Words: []string{"stop"}, Threshold: 0.5})
	if want := []float32{0.1, 0.25, 0.5, 0.75, sureAlone}; g.Threshold != doubt || !slices.Equal(g.Again, want) {
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

// Nobody answers before the model is there, and a queue that is full is nobody's.
func TestOpinionsAreBounded(t *testing.T) {
	o := newOpinions(nil)
	for range 3 {
		if o.Ready() {
			t.Fatal("ready without a model")
		}
	}
	if len(o.wanted) != 1 {
		t.Error("nobody looks for the model")
	}
	o.ready.Store(true)
	if !o.Ready() {
		t.Error("not ready with a model")
	}
	for range questionsAtOnce {
		if !o.Ask(&confirm.Question{}) {
			t.Fatal("a question was refused while there was room")
		}
	}
	if o.Ask(&confirm.Question{}) {
		t.Error("more questions wait than there is room for")
	}
}

// The robot is held while a hit is doubted; the hit that is told then is the best
// one, as old as it is.
func TestDoubtedHitIsTold(t *testing.T) {
	o, holds := newOpinions(nil), 0
	o.ready.Store(true)
	d := doubter{d: confirm.NewDoubter(o, 0.5, sureAlone), alone: 0.5, hold: func(time.Duration) { holds++ }}
	frame := make([]float32, audio.Frame)
	after := int(confirm.After.Seconds() * audio.Rate / audio.Frame)
	for i := range after + 2 {
		var h *listen.Hit
		switch i {
		case 0:
			h = &listen.Hit{Word: "halt", Score: 0.2, Late: 100 * time.Millisecond}
		case 2:
			h = &listen.Hit{Word: "stop", Score: 0.6, Late: 100 * time.Millisecond}
		}
		if told, stop := d.step(frame, h); stop {
			t.Fatalf("%+v is told before anybody answered", told)
		}
	}
	if holds != after+2 {
		t.Errorf("held in %d frames of %d", holds, after+2)
	}
	(<-o.questions).Answer(confirm.Stop, 1, nil)
	told, stop := d.step(frame, nil)
	// Seven frames more than it had been late: those after frame 2, and this one.
	if want := 100*time.Millisecond + time.Duration(after)*20*time.Millisecond; !stop || told.Word != "stop" || told.Late != want {
		t.Errorf("told %+v, want stop, late by %v", told, want)
	}
}
