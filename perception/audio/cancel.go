package audio

// Canceller takes the robot's own voice out of what its microphone hears: it
// learns how the loudspeaker sounds at the microphone (normalised least mean
// squares; Haykin, Adaptive Filter Theory, chapter 7) and subtracts that. It
// belongs to one goroutine at a time and allocates nothing after its making.
type Canceller struct {
	filter []float32
	// played is what was sent to the loudspeaker, newest last, twice over so that
	// the newest len(filter) samples always lie in one piece.
	played []float32
	at     int
	power  float64 // of the newest len(filter) samples played
	heard  float64 // smoothed powers, for the guard against double talk
	left   float64
	best   float64 // the least share of what was heard that was left
}

const (
	cancelStep = 0.5
	// A filter that once left less than learnt of the echo and now leaves more
	// than doubleTalk hears somebody else's voice as well: learning from that
	// would spoil it. Learning a little goes on, since a robot turns its head.
	learnt     = 0.1
	doubleTalk = 0.25
	guarded    = 0.01
	smooth     = 1 - 1.0/400 // 25 ms
)

// NewCanceller reaches so many samples back: the delay of the loudspeaker and
// the echo of the room together.
func NewCanceller(reach int) *Canceller {
	return &Canceller{filter: make([]float32, reach), played: make([]float32, 2*reach), best: 1}
}

// Cancel subtracts from heard, in place, what of played it recognises. Both are
// of the same time; played may be shorter, and silence follows it.
func (c *Canceller) Cancel(heard, played []float32) {
	n := len(c.filter)
	for i, y := range heard {
		var x float32
		if i < len(played) {
			x = played[i]
		}
		old := c.played[c.at]
		c.played[c.at], c.played[c.at+n] = x, x
		c.at = (c.at + 1) % n
		c.power = max(0, c.power+float64(x)*float64(x)-float64(old)*float64(old))
		if c.power < 1e-6*float64(n)/16 {
			continue
		}
		window := c.played[c.at : c.at+n]
		left := y - dot(c.filter, window)
		c.heard = smooth*c.heard + (1-smooth)*float64(y)*float64(y)
		c.left = smooth*c.left + (1-smooth)*float64(left)*float64(left)
		step := cancelStep
		share := c.left / max(c.heard, 1e-9)
		if c.heard > 1e-6 {
			c.best = min(c.best, share)
		}
		if c.best < learnt && share > doubleTalk {
			step *= guarded
		}
		add(c.filter, window, float32(step*float64(left)/(c.power+1e-3)))
		heard[i] = left
	}
}

// dot is in four sums, which the compiler keeps in registers.
func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}

func add(a, b []float32, scale float32) {
	b = b[:len(a)]
	for i := range a {
		a[i] += scale * b[i]
	}
}
