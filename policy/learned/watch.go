package learned

import (
	"bytes"
	"fmt"
	"math"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// When a picture is not one to act on.
const (
	// darkMean and flatSpread are a picture's mean and standard deviation, of 255,
	// below which nothing can be seen in it.
	darkMean   = 14
	flatSpread = 5
	// movedRad is how far a joint goes before a picture that stays the same is
	// taken for a frozen one.
	movedRad = 0.03
	// sampled is how many pixels of a picture are looked at.
	sampled = 512
)

// watch looks after one camera.
type watch struct {
	camera string
	maxAge time.Duration
	last   []byte
	at     robot.Time
	// still is how the joints stood when the picture was first seen.
	still robot.Joints
}

// check says what is wrong with the camera's picture in o, empty when nothing is.
func (w *watch) check(o *robot.Observation, joints int) string {
	f, ok := o.Frame(w.camera)
	if !ok {
		return fmt.Sprintf("the %s camera gives no picture", w.camera)
	}
	if age := o.At.Sub(f.At); age > w.maxAge {
		return fmt.Sprintf("the newest picture of the %s camera is %.1f s old", w.camera, age.Seconds())
	}
	if len(f.Pixels) != 3*f.Width*f.Height || len(f.Pixels) == 0 {
		return fmt.Sprintf("the picture of the %s camera is damaged", w.camera)
	}
	if f.At != w.at {
		same := w.last != nil && bytes.Equal(w.last, f.Pixels)
		if !same {
			w.still = o.State.Position
			w.last = append(w.last[:0], f.Pixels...)
		}
		w.at = f.At
	}
	mean, spread := light(f.Pixels)
	switch {
	case mean < darkMean:
		return fmt.Sprintf("the picture of the %s camera is black (is it covered?)", w.camera)
	case spread < flatSpread:
		return fmt.Sprintf("nothing can be seen in the picture of the %s camera (is it covered?)", w.camera)
	}
	for i := range joints {
		if math.Abs(o.State.Position[i]-w.still[i]) > movedRad {
			return fmt.Sprintf("the picture of the %s camera does not change although the arm moves: it is frozen", w.camera)
		}
	}
	return ""
}

// reset forgets the picture before: between two skills a world may stand still.
func (w *watch) reset() { w.last, w.at = nil, 0 }

// light gives mean and standard deviation of a sample of a picture's bytes.
func light(pixels []byte) (mean, spread float64) {
	step := max(len(pixels)/sampled|1, 1)
	n, sum, squares := 0.0, 0.0, 0.0
	for i := 0; i < len(pixels); i += step {
		v := float64(pixels[i])
		n, sum, squares = n+1, sum+v, squares+v*v
	}
	mean = sum / n
	return mean, math.Sqrt(max(squares/n-mean*mean, 0))
}
