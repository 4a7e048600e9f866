package daemon

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/kuai-robot/kuai/fusion/confirm"
	"github.com/kuai-robot/kuai/fusion/listen"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/keyword"
)

const (
	// doubt is from where on the detector's hit is worth a second opinion, for which
	// the robot is held, and sureAlone from where on it needs none.
	doubt     = 0.05
	sureAlone = 0.97
	// held is how long the robot holds still after a frame in which it should: a
	// little more than until the next one.
	held = 60 * time.Millisecond
	// questionsAtOnce bounds what waits: a microphone asks one at a time.
	questionsAtOnce = 4
)

// doubtful is a group whose hits are doubted: while a word becomes more probable,
// more of it has been heard, so it is told again.
func doubtful(g keyword.Group) keyword.Group {
	alone := g.Threshold
	g.Threshold = min(doubt, alone)
	g.Again = []float32{0.1, 0.25, alone, 0.75, sureAlone}
	slices.Sort(g.Again)
	g.Again = slices.Compact(slices.DeleteFunc(g.Again, func(x float32) bool { return x <= g.Threshold }))
	return g
}

// opinions is the confirm.Judge of all microphones: it answers with the speech
// model, once that is loaded.
type opinions struct {
	ears      *listen.Ears
	ready     atomic.Bool
	wanted    chan struct{} // somebody would ask
	questions chan *confirm.Question
}

func newOpinions(ears *listen.Ears) *opinions {
	return &opinions{ears: ears, wanted: make(chan struct{}, 1), questions: make(chan *confirm.Question, questionsAtOnce)}
}

// Ready implements confirm.Judge; that somebody asks makes it look for the model.
func (o *opinions) Ready() bool {
	if o.ready.Load() {
		return true
	}
	select {
	case o.wanted <- struct{}{}:
	default:
	}
	return false
}

// Ask implements confirm.Judge.
func (o *opinions) Ask(q *confirm.Question) bool {
	select {
	case o.questions <- q:
		return true
	default:
		return false
	}
}

// run answers until ctx ends.
func (o *opinions) run(ctx context.Context) error {
	var confirmer *confirm.Confirmer
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-o.wanted:
			if confirmer != nil {
				continue
			}
			var err error
			if confirmer, err = o.open(); err != nil {
				return err
			}
		case q := <-o.questions: // there are none before it is ready
			q.Answer(confirmer.Judge(ctx, q))
		}
	}
}

// open gives nil while there is no model, or none that the head was made for.
func (o *opinions) open() (*confirm.Confirmer, error) {
	s, err := o.ears.Second()
	if s == nil || err != nil || !confirm.Supported(s.Width()) {
		return nil, err
	}
	c, err := confirm.New(s)
	o.ready.Store(err == nil)
	return c, err
}

// doubter puts a confirm.Doubter between a detector and who believes its hits.
type doubter struct {
	d     *confirm.Doubter
	alone float32
	hold  func(time.Duration)
	hit   listen.Hit // the one that is doubted
	age   int        // samples since then
}

// step gives the hit that a stop is believed for, if it is one now.
func (d *doubter) step(samples []float32, h *listen.Hit) (listen.Hit, bool) {
	d.age += len(samples)
	score := float32(0)
	if h != nil {
		if score = h.Score; score >= d.hit.Score || d.age > confirm.Longest {
			d.hit, d.age = *h, 0
		}
	}
	switch d.d.Step(samples, score) {
	case confirm.Hold:
		d.hold(held)
	case confirm.Stop:
		told := d.hit
		told.Late += time.Duration(d.age) * time.Second / audio.Rate
		d.hit = listen.Hit{}
		return told, true
	}
	return listen.Hit{}, false
}
