package listen

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/vad"
	"github.com/kuai-robot/kuai/robot"
)

// Recogniser turns a segment into text; speech.Session is one. before is what was
// heard of a shorter piece of the same segment, or empty.
type Recogniser interface {
	Again(ctx context.Context, samples []float32, language string, before *speech.Result) (speech.Result, error)
}

// Reconsiderer is a Recogniser that thinks once more about a segment that is, or
// may be, over: r is what it made of samples.
type Reconsiderer interface {
	Reconsider(ctx context.Context, samples []float32, language string, r *speech.Result) error
}

// Voice gives the probability that somebody speaks; vad.Session is one.
type Voice interface {
	Hear(ctx context.Context, samples []float32) (float32, error)
	Reset()
}

// Detector hears words as they end, with the frames of a microphone that follow
// each other. What it gives is valid until the next call.
type Detector interface {
	Process(ctx context.Context, samples []float32) ([]Hit, error)
	Reset()
}

// Hit is a word that ended Late before the last sample that was heard.
type Hit struct {
	Group, Word string
	Score       float32
	Late        time.Duration
}

// Echo knows what the robot's loudspeaker plays.
type Echo interface {
	// Played fills dst with what it played at audio.Rate from at on, silence
	// where it did not, and says whether it played any of that or had just
	// stopped.
	Played(dst []float32, at robot.Time) bool
}

// Config is what a Listener is made of. Voice, Recogniser, Clock and Heard are
// required.
type Config struct {
	Voice      Voice
	Recogniser Recogniser
	Clock      robot.Clock
	// Language is the code of what is spoken; empty: the recogniser listens for it.
	Language string
	Timing   vad.Timing
	// Complete says whether a text is whole, so that after Early of silence nobody
	// need wait for more; nil: none is.
	Complete func(text string) bool
	Early    time.Duration
	// Joins says whether rest, said soon after first was told to be whole, goes on
	// with the sentence; nil: it never does.
	Joins func(first, rest string) bool
	// Partial is how much new speech there must be before what was said so far is
	// heard; 0: only pauses are.
	Partial time.Duration
	// Detector listens for words that need no recogniser; Word is told of each, on
	// the goroutine of Hear, with when the word ended. Both may be nil.
	Detector Detector
	Word     func(h Hit, at robot.Time)
	// Own is another such detector, which hears what the loudspeaker plays: a word
	// that the robot says itself, and that the echo of it repeats, is nobody's. It
	// had better be easier to convince. nil: the robot says no such words.
	Own Detector
	// Push listens only between Press and Release, but for the detector.
	Push bool
	// Echo is nil for a robot without a loudspeaker.
	Echo Echo
	// Heard is told of each utterance, Talking of what is heard of one that is
	// not over and, with an empty text, that one begins; from Run's goroutine, or
	// Hear's with Patient. Talking may be nil.
	Heard   func(Utterance)
	Talking func(Utterance)
	// Patient makes Hear wait for the recogniser: for files that are read faster
	// than they can be heard. There is no Run then.
	Patient bool
}

// Problem says why an utterance is not to be believed.
type Problem string

// The problems of utterances.
const (
	// NoSpeech: the recogniser finds it probable that nobody speaks.
	NoSpeech Problem = "nobody speaks"
	// Repeats: the text went round in circles.
	Repeats Problem = "the text repeats itself"
	// Empty: no word was found.
	Empty Problem = "no word"
	// OwnVoice: it follows what the robot said.
	OwnVoice Problem = "the robot's own voice"
	// Lost: the microphone went in the middle.
	Lost Problem = "the microphone was lost in mid-word"
	// Busy: earlier utterances were still being recognised.
	Busy Problem = "too much was said at once"
	// Broken: the recogniser failed; Utterance.Err says how.
	Broken Problem = "the recogniser failed"
)

// Utterance is what somebody said.
type Utterance struct {
	Microphone string
	// At is when it began, Until when its last word ended, Decided when that was
	// known to be the end, Ready when the text was there.
	At, Until, Decided, Ready robot.Time
	speech.Result
	// Problem is empty for a text that may be believed as far as Confidence goes.
	Problem Problem
	Err     error
	// Continues: it begins with the utterance before and goes on, in its place.
	Continues bool
	// Cut: it was longer than a segment may be. Clipped is the share of samples at
	// full scale: a microphone whose gain is too high.
	Cut     bool
	Clipped float64
	// Samples are what was heard, at audio.Rate.
	Samples []float32
}

// noSpeechLimit is from where on the recogniser's doubt that anybody speaks
// counts, as Whisper's own decoding has it; what is clear is believed anyway.
const (
	noSpeechLimit   = 0.8
	believedAnyway  = 0.7
	waitingSegments = 4
)

// Counts are what went wrong, and how much was heard.
type Counts struct {
	Segments, Believed, Dropped, Guesses, Wasted uint64
}

// Listener follows one microphone. Hear, Press, Release and Lost belong to the
// goroutine that captures.
type Listener struct {
	config    Config
	canceller *audio.Canceller
	clean     []float32 // a frame without the robot's voice
	played    []float32
	chunk     []float32
	chunkAt   robot.Time
	condition clipping
	deaf      bool       // the robot speaks
	speaking  bool       // Own has heard some of it
	ownWord   robot.Time // when the robot itself said a word of the detector

	mu         sync.Mutex // of segments, between Hear and Run
	segments   *vad.Segmenter
	number     uint64 // of the segment
	pressed    bool
	held       vad.Segment // while the button is pressed
	guessed    int         // samples of the newest guess
	microphone string

	guess  *robot.Mailbox[segment]
	finals chan segment
	cancel atomic.Pointer[context.CancelFunc] // of the guess that runs
	early  told                               // under mu
	last   guess                              // of Run

	counts struct{ segments, believed, dropped, guesses, wasted atomic.Uint64 }
}

// segment is a piece of sound on its way to the recogniser.
type segment struct {
	number     uint64
	microphone string
	at         robot.Time
	samples    []float32
	spoken     int
	decided    robot.Time
	cut        bool
	clipped    float64
	problem    Problem
	paused     bool          // it may be over
	early      bool          // it is told before it is known to be
	after      *told         // of its beginning, earlier
	settled    chan struct{} // of no segment, but of Settle
}

func (s *segment) until() robot.Time {
	return s.at.Add(time.Duration(s.spoken) * time.Second / audio.Rate)
}

// guess is what the recogniser made of a segment so far.
type guess struct {
	number  uint64
	spoken  int
	samples []float32
	result  speech.Result
	// considered: the recogniser thought about it once more.
	considered bool
}

const (
	// ownEcho is how long after the robot said a word the room may repeat it.
	ownEcho = 900 * time.Millisecond
	// ownLate is how much later than its end a word of the robot's own is found.
	ownLate = 300 * time.Millisecond
)

// echoReach is how far behind the loudspeaker the microphone may be: the sound
// system's delay and the room.
const echoReach = 3200 // 200 ms

// New gives a listener.
func New(c Config) (*Listener, error) {
	if c.Voice == nil || c.Recogniser == nil || c.Clock == nil || c.Heard == nil {
		return nil, errors.New("listen: needs a voice detector, a recogniser, a clock and somebody to tell")
	}
	l := &Listener{
		config: c, segments: vad.NewSegmenter(c.Timing), guess: robot.NewMailbox[segment](), finals: make(chan segment, waitingSegments),
		clean: make([]float32, audio.Frame), played: make([]float32, audio.Frame),
	}
	if c.Echo != nil {
		l.canceller = audio.NewCanceller(echoReach)
	}
	return l, nil
}

// Counts may be called from any goroutine.
func (l *Listener) Counts() Counts {
	c := &l.counts
	return Counts{c.segments.Load(), c.believed.Load(), c.dropped.Load(), c.guesses.Load(), c.wasted.Load()}
}

// clipping notes how much of a segment was at full scale.
type clipping struct{ samples, full int }

const fullScale = 0.985

func (c *clipping) add(samples []float32) {
	c.samples += len(samples)
	for _, x := range samples {
		if x > fullScale || x < -fullScale {
			c.full++
		}
	}
}

func (c *clipping) share() float64 {
	if c.samples == 0 {
		return 0
	}
	return float64(c.full) / float64(c.samples)
}
