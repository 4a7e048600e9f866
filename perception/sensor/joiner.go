package sensor

import (
	"slices"
	"strings"
	"sync"

	"github.com/kuai-robot/kuai/robot"
)

// kept is how many pictures of a camera are remembered.
const kept = 4

// Joiner holds the newest pictures of each camera. A nil Joiner is one that has
// seen nothing, for a robot without cameras.
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
	if j == nil {
		return nil
	}
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

// Observe joins what the joints report and what is known of the objects (nil
// when nobody looked) with the pictures of the instant.
func (j *Joiner) Observe(at robot.Time, state robot.State, scene *robot.Scene) robot.Observation {
	return robot.Observation{At: at, State: state, Scene: scene, Frames: j.Frames(at)}
}
