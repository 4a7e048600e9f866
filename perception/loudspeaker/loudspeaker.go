package loudspeaker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/robot"
)

// Output is where sound goes.
type Output interface {
	// Emit plays samples, mono at audio.Rate, and returns when the last has been
	// heard or ctx ends. It calls began once, with when the first is heard.
	Emit(ctx context.Context, samples []float32, began func(at robot.Time)) error
}

// Speaker turns text into sound, mono at audio.Rate.
type Speaker interface {
	Speak(ctx context.Context, text string) ([]float32, error)
}

// Config is what a Loudspeaker is made of. Output and Clock are required; without
// a Speaker Say does nothing.
type Config struct {
	Output  Output
	Speaker Speaker
	Clock   robot.Clock
	// Tail is how long after the last sample the room may still sound.
	Tail time.Duration
	// Failed is told once of an error, and again when it is another; it may be nil.
	Failed func(error)
}

const (
	defaultTail = 300 * time.Millisecond
	waiting     = 8
	// remembered is how long back Played knows what was played.
	remembered = 12 * time.Second
)

// Loudspeaker plays one thing after another.
type Loudspeaker struct {
	config  Config
	queue   chan item
	dropped atomic.Uint64
	busy    atomic.Bool

	mu     sync.Mutex
	spans  []span
	hush   context.CancelFunc // of what plays
	failed string
}

// item is something to play: samples, or a text to be spoken.
type item struct {
	samples []float32
	text    string
}

// span is what was played.
type span struct {
	at      robot.Time
	samples []float32
	// end is when it fell silent, which may be early; 0: it still plays.
	end robot.Time
}

// New gives a loudspeaker that is silent until Run.
func New(c Config) (*Loudspeaker, error) {
	if c.Output == nil || c.Clock == nil {
		return nil, errors.New("loudspeaker: needs an output and a clock")
	}
	if c.Tail <= 0 {
		c.Tail = defaultTail
	}
	return &Loudspeaker{config: c, queue: make(chan item, waiting)}, nil
}

// Say speaks text.
func (l *Loudspeaker) Say(text string) {
	if l.config.Speaker != nil && text != "" {
		l.put(item{text: text})
	}
}

// Signal plays an earcon.
func (l *Loudspeaker) Signal(e Earcon) { l.put(item{samples: e.Samples()}) }

// Play plays samples, mono at audio.Rate.
func (l *Loudspeaker) Play(samples []float32) { l.put(item{samples: samples}) }

func (l *Loudspeaker) put(i item) {
	select {
	case l.queue <- i:
	default:
		l.dropped.Add(1)
	}
}

// Dropped counts what found no room in the queue.
func (l *Loudspeaker) Dropped() uint64 { return l.dropped.Load() }

// Quiet says whether nothing plays and nothing waits.
func (l *Loudspeaker) Quiet() bool { return !l.busy.Load() && len(l.queue) == 0 }

// Hush ends what is playing and forgets what waits.
func (l *Loudspeaker) Hush() {
	for len(l.queue) > 0 {
		select {
		case <-l.queue:
		default:
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hush != nil {
		l.hush()
	}
}

// Run plays until ctx ends.
func (l *Loudspeaker) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case i := <-l.queue:
			l.busy.Store(true)
			err := l.play(ctx, i)
			l.busy.Store(false)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			l.tell(err)
		}
	}
}

// tell passes on an error that is a new one.
func (l *Loudspeaker) tell(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != "" && text != l.failed && l.config.Failed != nil {
		l.config.Failed(fmt.Errorf("loudspeaker: %w", err))
	}
	l.failed = text
}

func (l *Loudspeaker) play(ctx context.Context, i item) error {
	ctx, hush := context.WithCancel(ctx)
	defer hush()
	l.mu.Lock()
	l.hush = hush
	l.mu.Unlock()
	samples := i.samples
	if i.text != "" {
		var err error
		if samples, err = l.config.Speaker.Speak(ctx, i.text); err != nil {
			return silenced(ctx, err)
		}
	}
	err := l.config.Output.Emit(ctx, samples, func(at robot.Time) { l.remember(at, samples) })
	l.mu.Lock()
	if n := len(l.spans); n > 0 && l.spans[n-1].end == 0 {
		l.spans[n-1].end = min(l.config.Clock.Now(), l.spans[n-1].last())
	}
	l.mu.Unlock()
	return silenced(ctx, err)
}

// silenced forgets the error of something that was hushed.
func silenced(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (l *Loudspeaker) remember(at robot.Time, samples []float32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.config.Clock.Now().Add(-remembered)
	for len(l.spans) > 0 && l.spans[0].end != 0 && l.spans[0].end < old {
		l.spans = l.spans[1:]
	}
	l.spans = append(l.spans, span{at: at, samples: samples})
}

// last is when the last sample is heard if nobody hushes it.
func (s *span) last() robot.Time {
	return s.at.Add(time.Duration(len(s.samples)) * time.Second / audio.Rate)
}

// Played fills dst with what was played at audio.Rate from at on, silence where
// nothing was, and says whether any of that time lies in what was played or in
// the tail behind it. It may be called from any goroutine.
func (l *Loudspeaker) Played(dst []float32, at robot.Time) (any bool) {
	clear(dst)
	until := at.Add(time.Duration(len(dst)) * time.Second / audio.Rate)
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.spans {
		s := &l.spans[i]
		end := s.end
		if end == 0 {
			end = s.last()
		}
		if until <= s.at || at >= end.Add(l.config.Tail) {
			continue
		}
		any = true
		heard := int(end.Sub(s.at) * audio.Rate / time.Second)
		from := int(at.Sub(s.at) * audio.Rate / time.Second)
		for k := range dst {
			if n := from + k; n >= 0 && n < min(heard, len(s.samples)) {
				dst[k] += s.samples[n]
			}
		}
	}
	return any
}
