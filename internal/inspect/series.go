package inspect

import (
	"slices"

	"github.com/kuai-robot/kuai/robot"
)

// maxPoints bounds a series; more than a picture has columns.
const maxPoints = 8192

// series is a value over time.
type series struct {
	at     []robot.Time
	values []float64
	every  int // of the values that come, how many make one that stays
	skip   int
}

// add takes a value; once there are too many, every second one stays.
func (s *series) add(at robot.Time, v float64) {
	if s.skip > 0 {
		s.skip--
		return
	}
	if len(s.at) == maxPoints {
		for i := range maxPoints / 2 {
			s.at[i], s.values[i] = s.at[2*i], s.values[2*i]
		}
		s.at, s.values = s.at[:maxPoints/2], s.values[:maxPoints/2]
		s.every = max(1, s.every) * 2
	}
	s.at, s.values = append(s.at, at), append(s.values, v)
	s.skip = max(1, s.every) - 1
}

// quantile gives what the share q of the values does not exceed; 0 without any.
func (s *series) quantile(q float64) float64 {
	if len(s.values) == 0 {
		return 0
	}
	sorted := slices.Clone(s.values)
	slices.Sort(sorted)
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
