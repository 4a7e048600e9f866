package dataset

import (
	"math"
	"slices"
)

// quantiles are those that statistics tell, as LeRobot names them.
var quantiles = []struct {
	name  string
	share float64
}{{"q01", 0.01}, {"q10", 0.10}, {"q50", 0.50}, {"q90", 0.90}, {"q99", 0.99}}

// statNames lists the statistics of a feature in their order.
var statNames = []string{"min", "max", "mean", "std", "count", "q01", "q10", "q50", "q90", "q99"}

// series gathers the values of one dimension while they are written. Values
// lie in bins of equal width over a range that doubles when it must, so the
// memory is bounded and a quantile is within a 2,048th of the range; as long as
// there are few enough values they are kept and quantiles are exact.
type series struct {
	count     int
	low, high float64
	sum       float64 // of what lies above the first value, so that no digits are lost
	squares   float64
	first     float64
	exact     []float64
	bins      []int
	from, per float64 // the bins' begin and width
}

const (
	maxExact = 4096
	binCount = 4096
)

// sane bounds values that are statistics of anything.
const sane = 1e100

// add takes one value; those that are no number, or none of a robot, are left
// out.
func (s *series) add(v float64) {
	if !(math.Abs(v) < sane) {
		return
	}
	if s.count == 0 {
		s.low, s.high, s.first = v, v, v
	}
	s.count++
	s.low, s.high = min(s.low, v), max(s.high, v)
	d := v - s.first
	s.sum += d
	s.squares += d * d
	switch {
	case s.bins != nil:
		s.bin(v, 1)
	case len(s.exact) < maxExact:
		s.exact = append(s.exact, v)
	default:
		s.intoBins()
		s.bin(v, 1)
	}
}

// addTimes takes v as often as times says.
func (s *series) addTimes(v float64, times int) {
	if times == 0 {
		return
	}
	s.add(v)
	if rest := times - 1; rest > 0 {
		if s.bins == nil {
			s.intoBins()
		}
		d := v - s.first
		s.count += rest
		s.sum += d * float64(rest)
		s.squares += d * d * float64(rest)
		s.bin(v, rest)
	}
}

// intoBins begins to count in place of keeping.
func (s *series) intoBins() {
	s.bins = make([]int, binCount)
	width := max(s.high-s.low, max(math.Abs(s.low), 1)*1e-9)
	s.from, s.per = s.low, width/(binCount-1)
	for _, v := range s.exact {
		s.bin(v, 1)
	}
	s.exact = nil
}

func (s *series) bin(v float64, times int) {
	for v < s.from {
		s.widen(true)
	}
	for v >= s.from+s.per*binCount {
		s.widen(false)
	}
	s.bins[min(int((v-s.from)/s.per), binCount-1)] += times
}

// widen doubles the width of the bins, downwards or upwards.
func (s *series) widen(down bool) {
	merged := make([]int, binCount)
	offset := 0
	if down {
		offset = binCount / 2
		s.from -= s.per * binCount
	}
	for i := range binCount / 2 {
		merged[offset+i] = s.bins[2*i] + s.bins[2*i+1]
	}
	s.bins, s.per = merged, 2*s.per
}

func (s *series) mean() float64 {
	if s.count == 0 {
		return 0
	}
	return s.first + s.sum/float64(s.count)
}

func (s *series) std() float64 {
	if s.count == 0 {
		return 0
	}
	m := s.sum / float64(s.count)
	return math.Sqrt(max(0, s.squares/float64(s.count)-m*m))
}

// quantile gives the value that the share of all does not exceed, linear
// between neighbours.
func (s *series) quantile(share float64) float64 {
	if s.count == 0 {
		return 0
	}
	if s.bins == nil {
		sorted := slices.Clone(s.exact)
		slices.Sort(sorted)
		at := share * float64(len(sorted)-1)
		k := int(at)
		if k+1 == len(sorted) {
			return sorted[k]
		}
		return sorted[k] + (at-float64(k))*(sorted[k+1]-sorted[k])
	}
	want, before := share*float64(s.count), 0
	for i, n := range s.bins {
		if n > 0 && float64(before+n) >= want {
			v := s.from + s.per*(float64(i)+(want-float64(before))/float64(n))
			return min(max(v, s.low), s.high)
		}
		before += n
	}
	return s.high
}

// feature gathers a vector: a series for each dimension.
type feature []series

func (f feature) stat(name string) []float64 {
	out := make([]float64, len(f))
	for i := range f {
		s := &f[i]
		switch name {
		case "min":
			out[i] = s.low
		case "max":
			out[i] = s.high
		case "mean":
			out[i] = s.mean()
		case "std":
			out[i] = s.std()
		}
		for _, q := range quantiles {
			if q.name == name {
				out[i] = s.quantile(q.share)
			}
		}
	}
	return out
}

// pictureSample is every how many pixels, along each side, statistics look.
const pictureSample = 8

// addPicture takes an RGB picture, 0 to 1, a series for each channel.
func (f feature) addPicture(rgb []byte, width, height int) {
	var counts [3][256]int
	for y := 0; y < height; y += pictureSample {
		for x := 0; x < width; x += pictureSample {
			p := rgb[3*(y*width+x):]
			for c := range 3 {
				counts[c][p[c]]++
			}
		}
	}
	for c := range 3 {
		for v, n := range counts[c] {
			f[c].addTimes(float64(v)/255, n)
		}
	}
}

// merge takes in what g gathered.
func (g *gathered) merge(other *gathered) {
	g.count += other.count
	for i := range g.feature {
		g.feature[i].merge(&other.feature[i])
	}
}

// merge takes in the values of o, those that it counts by the middle of their
// bin.
func (s *series) merge(o *series) {
	if o.count == 0 {
		return
	}
	if s.count == 0 {
		s.low, s.high, s.first = o.low, o.high, o.first
	}
	// The sums are about each one's first value.
	d, n := o.first-s.first, float64(o.count)
	s.squares += o.squares + 2*d*o.sum + n*d*d
	s.sum += o.sum + n*d
	s.count += o.count
	s.low, s.high = min(s.low, o.low), max(s.high, o.high)
	if s.bins == nil && o.bins == nil && len(s.exact)+len(o.exact) <= maxExact {
		s.exact = append(s.exact, o.exact...)
		return
	}
	if s.bins == nil {
		s.intoBins()
	}
	for _, v := range o.exact {
		s.bin(v, 1)
	}
	for i, times := range o.bins {
		if times > 0 {
			s.bin(min(max(o.from+o.per*(float64(i)+0.5), o.low), o.high), times)
		}
	}
}
