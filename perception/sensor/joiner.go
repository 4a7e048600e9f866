package sensor

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// kept is how many pictures of a camera are remembered.
const kept = 4

// Joiner holds the newest pictures of each camera.
type Joiner struct {
	mu      sync.Mutex
	cameras []recent // sorted by name
}

type recent struct {
	name   string
	frames []robot.Frame // by time of capture, the newest last
}

// New gives a joiner that has seen nothing.
func New() *Joiner { return &Joiner{} }

// Frame takes a picture; one that is older than those kept is ignored.
func (j *Joiner) Frame(f robot.Frame) {
	j.mu.Lock()
	defer j.mu.Unlock()
	i, found := slices.BinarySearchFunc(j.cameras, f.Camera, func(r recent, name string) int { return strings.Compare(r.name, name) })
	if !found {
		j.cameras = slices.Insert(j.cameras, i, recent{name: f.Camera})
	}
	j.cameras[i].add(f)
}

func (r *recent) add(f robot.Frame) {
	at := len(r.frames)
	for at > 0 && r.frames[at-1].At > f.At {
		at--
	}
	r.frames = slices.Insert(r.frames, at, f)
	if len(r.frames) > kept {
		// A new slice, since others hold the old one's frames.
		r.frames = slices.Clone(r.frames[1:])
	}
}

// Frames gives the newest picture of each camera that was captured not later
// than at, in the order of the cameras' names. A camera without one is left
// out.
func (j *Joiner) Frames(at robot.Time) []robot.Frame {
	j.mu.Lock()
	defer j.mu.Unlock()
	var frames []robot.Frame
	for i := range j.cameras {
		if f := j.cameras[i].newest(at); f != nil {
			frames = append(frames, *f)
		}
	}
	return frames
}

func (r *recent) newest(at robot.Time) *robot.Frame {
	for i := len(r.frames) - 1; i >= 0; i-- {
		if r.frames[i].At <= at {
			return &r.frames[i]
		}
	}
	return nil
}

// Stale says which of the cameras has no picture at all at the instant, or none
// that is younger than limit; nil when all are fresh.
func (j *Joiner) Stale(at robot.Time, limit time.Duration, cameras ...string) error {
	frames := j.Frames(at)
	for _, name := range cameras {
		i := slices.IndexFunc(frames, func(f robot.Frame) bool { return f.Camera == name })
		if i < 0 {
			return fmt.Errorf("camera %s: no picture yet", name)
		}
		if age := at.Sub(frames[i].At); age > limit {
			return fmt.Errorf("camera %s: the newest picture is %d ms old, at most %d are allowed", name, age.Milliseconds(), limit.Milliseconds())
		}
	}
	return nil
}
