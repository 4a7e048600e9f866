package robot

import "time"

// Frame is one picture of one camera.
type Frame struct {
	// Camera is the name in the configuration.
	Camera string
	// At is when the light was captured, not when the bytes arrived.
	At Time
	// Estimated is true when the camera's clock is not known and At was
	// inferred from the arrival.
	Estimated bool
	// Seq counts frames of the camera; a gap is a loss.
	Seq uint64
	// Width and Height in pixels; Pixels is RGB, row by row, top row first,
	// 3·Width·Height bytes.
	Width, Height int
	Pixels        []byte
	// JPEG is the picture as the camera sent it, so that whoever stores or
	// shows it need not encode it again; nil when it was not sent as JPEG.
	JPEG []byte
}

// Clip is a stretch of sound.
type Clip struct {
	// Microphone is the name in the configuration.
	Microphone string
	// At is when the first sample was captured.
	At Time
	// Rate in Hz; Samples are mono, −1 to 1.
	Rate    int
	Samples []float32
}

// Observation is the newest sample of each sensor not later than At.
type Observation struct {
	At     Time
	State  State
	Frames []Frame
	// Scene is what is known of the objects; nil when nobody looked.
	Scene *Scene
}

// Frame gives the picture of the named camera.
func (o *Observation) Frame(camera string) (*Frame, bool) {
	for i := range o.Frames {
		if o.Frames[i].Camera == camera {
			return &o.Frames[i], true
		}
	}
	return nil, false
}

// Oldest gives the capture time of the oldest sample in o: what a chunk that
// is computed from it carries as ObservedAt.
func (o *Observation) Oldest() Time {
	oldest := o.State.At
	for i := range o.Frames {
		oldest = min(oldest, o.Frames[i].At)
	}
	if o.Scene != nil {
		oldest = min(oldest, o.Scene.At)
	}
	return oldest
}

// Age gives how long before At the oldest sample was captured.
func (o *Observation) Age() time.Duration { return o.At.Sub(o.Oldest()) }
