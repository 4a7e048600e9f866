package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/kuai-robot/kuai/internal/jpeg"
	"github.com/kuai-robot/kuai/robot"
)

// Options of a Recorder. Dir and Clock are required.
type Options struct {
	Dir         string
	Clock       robot.Clock
	Description *robot.Description
	// MaxBytes is the disk budget of Dir, default 20 GB; FileBytes is where a
	// new file is begun, default 512 MB.
	MaxBytes, FileBytes int64
	// FlushEvery bounds what a crash can cost; default 250 ms.
	FlushEvery time.Duration
	// Queue bounds what waits for the disk; default 1024 samples.
	Queue int
	// JSONSchemas gives the JSON schema of a topic; SchemaOf makes one.
	JSONSchemas map[string][]byte
	// Header is kept at the start of every file: what made the recording.
	Header map[string]string
	// Wait makes a sample wait for room in the queue instead of being dropped,
	// for a source that can: one that makes its own time.
	Wait bool
	// OnFault is told once when recording stops working and nil when it works
	// again. An error with a *robot.Panic in it is a bug, of which it is told each
	// time.
	OnFault func(error)
	// OnSample is told of each sample that cannot be written down.
	OnSample func(error)
}

// Recorder takes samples from every stage and writes them in Run.
type Recorder struct {
	o       Options
	queue   chan sample
	dropped atomic.Uint64
	written atomic.Uint64
	rotate  atomic.Bool

	foxglove map[string]schema
	file     *file
	path     string
	faulty   bool
	retryAt  robot.Time
}

// sample is one thing to write; encode runs in Run's goroutine.
type sample struct {
	topic  string
	schema string
	at     robot.Time
	encode func() ([]byte, error)
}

const retryAfter = 5 * time.Second

// Open prepares the folder, completes recordings that were cut off, and
// returns a Recorder that writes once Run is called.
func Open(o Options) (*Recorder, error) {
	if o.Dir == "" || o.Clock == nil || o.Description == nil {
		return nil, errors.New("record: needs a folder, a clock and the robot's description")
	}
	setDefault(&o.MaxBytes, 20<<30)
	setDefault(&o.FileBytes, min(512<<20, o.MaxBytes/4))
	setDefault(&o.FlushEvery, 250*time.Millisecond)
	setDefault(&o.Queue, 1024)
	if o.OnFault == nil {
		o.OnFault = func(error) {}
	}
	if o.OnSample == nil {
		o.OnSample = func(error) {}
	}
	if err := os.MkdirAll(o.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	if err := repairAll(o.Dir); err != nil {
		return nil, err
	}
	r := &Recorder{o: o, queue: make(chan sample, o.Queue), foxglove: map[string]schema{}}
	for name := range messages {
		s, err := foxgloveSchema(name)
		if err != nil {
			return nil, err
		}
		r.foxglove[name] = s
	}
	return r, nil
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Dropped gives how many samples found the queue full or the disk failing.
func (r *Recorder) Dropped() uint64 { return r.dropped.Load() }

// Rotate makes the next sample begin a new file.
func (r *Recorder) Rotate() { r.rotate.Store(true) }

// Written gives how many samples are in a file.
func (r *Recorder) Written() uint64 { return r.written.Load() }

func (r *Recorder) put(s sample) {
	if r.o.Wait {
		r.queue <- s
		return
	}
	select {
	case r.queue <- s:
	default:
		r.dropped.Add(1)
	}
}

func (r *Recorder) unix(t robot.Time) int64 { return r.o.Clock.Epoch().UnixNano() + int64(t) }

// Frame records a picture under camera/<name>, as JPEG.
func (r *Recorder) Frame(f robot.Frame) {
	r.put(sample{topic: "camera/" + f.Camera, schema: schemaImage, at: f.At, encode: func() ([]byte, error) {
		data := f.JPEG
		if data == nil {
			var err error
			if data, err = encodeJPEG(&f); err != nil {
				return nil, err
			}
		}
		return encodeImage(nil, r.unix(f.At), f.Camera, "jpeg", data), nil
	}})
}

// State records the joints under joints.
func (r *Recorder) State(s robot.State) {
	r.put(sample{topic: "joints", schema: schemaJoints, at: s.At, encode: func() ([]byte, error) {
		return encodeJoints(nil, r.unix(s.At), r.o.Description.Joints, &s), nil
	}})
}

// Clip records sound under microphone/<name>, as 16-bit PCM.
func (r *Recorder) Clip(c robot.Clip) {
	r.put(sample{topic: "microphone/" + c.Microphone, schema: schemaAudio, at: c.At, encode: func() ([]byte, error) {
		return encodeAudio(nil, r.unix(c.At), &c), nil
	}})
}

// Log records a line under log; level is Foxglove's, 1 debug to 5 fatal.
func (r *Recorder) Log(at robot.Time, level int, stage, message string) {
	r.put(sample{topic: "log", schema: schemaLog, at: at, encode: func() ([]byte, error) {
		return encodeLog(nil, r.unix(at), level, stage, message), nil
	}})
}

// Message records one JSON message of a topic; the recorder keeps data.
func (r *Recorder) Message(topic string, at robot.Time, data []byte) {
	r.JSON(topic, at, func() ([]byte, error) { return data, nil })
}

// JSON records what encode gives, which is called later, on the goroutine of
// Run.
func (r *Recorder) JSON(topic string, at robot.Time, encode func() ([]byte, error)) {
	r.put(sample{topic: topic, at: at, encode: func() ([]byte, error) {
		data, err := encode()
		if err != nil {
			return nil, fmt.Errorf("topic %s: %w", topic, err)
		}
		if !json.Valid(data) {
			return nil, fmt.Errorf("topic %s: not JSON", topic)
		}
		return data, nil
	}})
}

// Run writes until ctx ends, then finishes the file with what was queued.
func (r *Recorder) Run(ctx context.Context) error {
	for {
		select {
		case s := <-r.queue:
			r.take(s)
		case <-ctx.Done():
			for {
				select {
				case s := <-r.queue:
					r.take(s)
					continue
				default:
				}
				return r.finish()
			}
		}
	}
}

// take writes s. A panic costs the sample and closes the file as it is.
func (r *Recorder) take(s sample) {
	err := robot.Guard(func() error {
		r.write(s)
		return nil
	})
	if err != nil {
		r.fail(fmt.Errorf("record: topic %s: %w (recording pauses, and begins a new file in %v)", s.topic, err, retryAfter), r.o.Clock.Now())
	}
}

// fail gives up the current file, and recording until retryAfter has passed.
func (r *Recorder) fail(err error, now robot.Time) {
	r.dropped.Add(1)
	r.retryAt = now.Add(retryAfter)
	if !r.faulty || robot.PanicIn(err) != nil {
		r.faulty = true
		r.o.OnFault(err)
	}
	if r.file != nil {
		r.file.abandon()
		r.file = nil
	}
}

// write puts s into the current file; a failing disk costs samples, never time
// or the process.
func (r *Recorder) write(s sample) {
	now := r.o.Clock.Now()
	if r.faulty && now < r.retryAt {
		r.dropped.Add(1)
		return
	}
	data, err := s.encode()
	if err != nil {
		// The sample is at fault, not the disk.
		r.dropped.Add(1)
		r.o.OnSample(err)
		return
	}
	if err := r.tryWrite(s, data, now); err != nil {
		r.fail(fmt.Errorf("record: %w (recording pauses; is the disk full? trying again every %v)", err, retryAfter), now)
		return
	}
	r.written.Add(1)
	if r.faulty {
		r.faulty = false
		r.o.OnFault(nil)
	}
}

func (r *Recorder) tryWrite(s sample, data []byte, now robot.Time) error {
	if r.file != nil && (r.rotate.Swap(false) || r.file.size() >= r.o.FileBytes) {
		if err := r.finish(); err != nil {
			return err
		}
	}
	if r.file == nil {
		if err := makeRoom(r.o.Dir, "", r.o.MaxBytes, r.o.FileBytes); err != nil {
			return err
		}
		r.path = newName(r.o.Dir, r.o.Clock.Epoch().Add(time.Duration(now)))
		var err error
		if r.file, err = createFile(r.path, r.o.Clock.Epoch(), now, r.o.FlushEvery, r.o.Header); err != nil {
			return err
		}
	}
	return r.file.write(s.topic, r.schemaOf(&s), s.at, now, data)
}

func (r *Recorder) schemaOf(s *sample) schema {
	if s.schema != "" {
		return r.foxglove[s.schema]
	}
	text, ok := r.o.JSONSchemas[s.topic]
	if !ok {
		text = []byte(`{"type":"object"}`)
	}
	return schema{name: "kuai/" + s.topic, encoding: schemaEncodingJSON, data: text}
}

func (r *Recorder) finish() error {
	if r.file == nil {
		return nil
	}
	f := r.file
	r.file = nil
	return f.close()
}

// jpegQuality is libjpeg's, for pictures that did not come as JPEG.
const jpegQuality = 90

func encodeJPEG(f *robot.Frame) ([]byte, error) {
	data, err := jpeg.Encode(f.Pixels, f.Width, f.Height, jpegQuality)
	if err != nil {
		return nil, fmt.Errorf("camera %s: %w", f.Camera, err)
	}
	return data, nil
}
