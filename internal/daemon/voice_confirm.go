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
	// doubt is from where on the detector's hit is worth a second opinion, and
	// sureAlone from where on it needs none.
	doubt     = 0.1
	sureAlone = 0.97
	// patience is how long a hit that the detector alone would believe waits for
	// the second opinion.
	patience = 60 * time.Millisecond
)

// doubtful is a group whose hits are asked about: while a word becomes more
// probable, more of it has been heard, so it is asked again.
func doubtful(g keyword.Group) keyword.Group {
	alone := g.Threshold
	g.Threshold = min(doubt, alone)
	g.Again = []float32{0.25, alone, 0.75, sureAlone}
	slices.Sort(g.Again)
	g.Again = slices.Compact(slices.DeleteFunc(g.Again, func(x float32) bool { return x <= g.Threshold }))
	return g
}

// doubts is a question about a hit, and its answer.
type doubts struct {
	hit     listen.Hit
	samples [confirm.Heard]float32
	asked   int64 // the sample with which it was asked
	answer  atomic.Int32
}

// Answers.
const (
	waiting = iota
	isStop
	isNone
	unknown // nobody could say
)

// opinions answers doubts with the speech model, once that is loaded.
type opinions struct {
	ears      *listen.Ears
	ready     atomic.Bool
	questions chan *doubts
}

// questionsAtOnce bounds what waits: a microphone asks one at a time.
const questionsAtOnce = 4

func newOpinions(ears *listen.Ears) *opinions {
	return &opinions{ears: ears, questions: make(chan *doubts, questionsAtOnce)}
}

// ask gives false where nobody will answer.
func (o *opinions) ask(q *doubts) bool {
	select {
	case o.questions <- q:
	default:
		return false
	}
	return o.ready.Load()
}

// run answers until ctx ends.
func (o *opinions) run(ctx context.Context) error {
	var confirmer *confirm.Confirmer
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case q := <-o.questions:
			if confirmer == nil {
				var err error
				if confirmer, err = o.open(); err != nil {
					return err
				}
			}
			q.answer.Store(o.judge(ctx, confirmer, q))
		}
	}
}

// open gives nil while there is no model, or none that the head was made for.
func (o *opinions) open() (*confirm.Confirmer, error) {
	s, err := o.ears.Second()
	if s == nil || err != nil {
		return nil, err
	}
	c, err := confirm.New(s)
	o.ready.Store(err == nil)
	return c, err
}

func (o *opinions) judge(ctx context.Context, c *confirm.Confirmer, q *doubts) int32 {
	if c == nil {
		return unknown
	}
	yes, err := c.Stop(ctx, q.samples[:], q.hit.Score)
	switch {
	case err != nil:
		return unknown
	case yes:
		return isStop
	}
	return isNone
}

// doubter asks about the stop words of one microphone that its detector is not
// sure of. It belongs to the goroutine that captures.
type doubter struct {
	opinions *opinions
	alone    float32 // the score at which the detector is believed where nobody answers
	past     []float32
	heard    int64
	stopped  int64     // when a stop was last believed; 0: never
	asked    []*doubts // and not yet answered, the oldest first
	free     []*doubts
}

// hear takes the samples that the detector has heard.
func (d *doubter) hear(samples []float32) {
	d.heard += int64(len(samples))
	d.past = append(d.past, samples...)
	if more := len(d.past) - confirm.Heard; more > 0 {
		d.past = d.past[:copy(d.past, d.past[more:])]
	}
}

// doubt says whether a hit is to be believed at once; otherwise it may come with
// answers.
func (d *doubter) doubt(h listen.Hit) (believed bool) {
	if h.Score >= sureAlone {
		d.stopped = d.heard
		return true
	}
	if d.same() {
		return false
	}
	q := &doubts{}
	if n := len(d.free); n > 0 {
		q, d.free = d.free[n-1], d.free[:n-1]
	}
	q.hit, q.asked = h, d.heard
	q.answer.Store(waiting)
	clear(q.samples[:])
	copy(q.samples[len(q.samples)-len(d.past):], d.past)
	if !d.opinions.ask(q) {
		if h.Score < d.alone {
			return false
		}
		d.stopped = d.heard
		return true
	}
	d.asked = append(d.asked, q)
	return false
}

// answers appends the hits that were confirmed, or that nobody answered in time
// and the detector alone believes.
func (d *doubter) answers(hits []listen.Hit) []listen.Hit {
	d.asked = slices.DeleteFunc(d.asked, func(q *doubts) bool {
		waited := time.Duration(d.heard-q.asked) * time.Second / audio.Rate
		answer := q.answer.Load()
		if answer == waiting && waited < patience {
			return false
		}
		if (answer == isStop || answer != isNone && q.hit.Score >= d.alone) && !d.same() {
			q.hit.Late += waited
			d.stopped = d.heard
			hits = append(hits, q.hit)
		}
		if answer != waiting { // who answers is done with it
			d.free = append(d.free, q)
		}
		return true
	})
	return hits
}

// same says whether what is heard now is still the word that the robot stopped for.
func (d *doubter) same() bool {
	const word = audio.Rate / 2
	return d.stopped != 0 && d.heard-d.stopped < word
}

// reset forgets what was heard; questions stay asked.
func (d *doubter) reset() { d.past = d.past[:0] }
