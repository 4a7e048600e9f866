package vla

import (
	"errors"
	"fmt"
	"math"

	"github.com/kuai-robot/kuai/robot"
)

// Look tells a camera's own pictures from turned ones and another camera's: a
// linear classifier on the mean colours of lookRows × lookColumns cells, less the
// picture's mean and divided by its spread (train/vla/look.py).
type Look struct {
	Weights []float64 `json:"weights"`
	Bias    float64   `json:"bias"`
}

const (
	lookRows, lookColumns = 6, 8
	lookSoften            = 4 // of 255
)

func (l *Look) check(camera string) error {
	if len(l.Weights) != 3*lookRows*lookColumns {
		return fmt.Errorf("look: %s: %d weights, want %d", camera, len(l.Weights), 3*lookRows*lookColumns)
	}
	for _, v := range append([]float64{l.Bias}, l.Weights...) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("look: %s: a weight is not finite", camera)
		}
	}
	return nil
}

// Unlike says how unlike the training's pictures of its camera a picture is: above
// 1, too much. Of a camera that the policy does not know it says 0.
func (c *Config) Unlike(f *robot.Frame) (float64, error) {
	l, size := c.Look[f.Camera], c.Front
	if l == nil {
		return 0, nil
	}
	if f.Camera == "wrist" {
		size = c.Wrist
	}
	small := make([]byte, 3*size[0]*size[1])
	if err := Shrink(small, size, f); err != nil {
		return 0, err
	}
	return l.score(small, size), nil
}

func (l *Look) score(small []byte, size [2]int) float64 {
	var cells [3 * lookRows * lookColumns]float64
	rows, columns := size[0]/lookRows, size[1]/lookColumns
	mean := 0.0
	for y := range lookRows {
		for x := range lookColumns {
			for i := range rows {
				row := small[3*((y*rows+i)*size[1]+x*columns):][:3*columns]
				for k, v := range row {
					cells[3*(y*lookColumns+x)+k%3] += float64(v)
				}
			}
		}
	}
	for i := range cells {
		cells[i] /= float64(rows * columns)
		mean += cells[i] / float64(len(cells))
	}
	spread := 0.0
	for _, v := range cells {
		spread += (v - mean) * (v - mean) / float64(len(cells))
	}
	score := 1 + l.Bias
	for i, v := range cells {
		score += l.Weights[i] * (v - mean) / (math.Sqrt(spread) + lookSoften)
	}
	return score
}

var errLook = errors.New("look: only the cameras front and wrist are known")
