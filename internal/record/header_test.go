package record

import (
	"encoding/json"
	"math"
	"os"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

func TestTheHeaderIsInEveryFileAndSurvivesARepair(t *testing.T) {
	_, files := recordAll(t, Options{Header: map[string]string{"version": "v1"}, FileBytes: 3000, FlushEvery: time.Millisecond, Queue: 500},
		func(r *Recorder, clock *robot.ManualClock) {
			for i := range 200 {
				clock.Advance(time.Millisecond)
				r.Message("event", clock.Now(), []byte(`{"noise":"`+noise(i)+`"}`))
			}
		})
	if len(files) < 1 {
		t.Fatal("no file")
	}
	path := files[len(files)-1]
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data[:len(data)-9], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Repair(path); err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if _, err := Read(path, func(r *Record) error {
			if r.Header()["version"] != "v1" {
				t.Fatalf("%s: header %v", path, r.Header())
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	}
}

func TestFoxgloveMessagesAreDecoded(t *testing.T) {
	state := robot.State{At: 902, Position: robot.Joints{0.1, math.Inf(1)}, Velocity: robot.Joints{1e-300, -2}, Effort: robot.Joints{3, 4}}
	_, files := recordAll(t, Options{}, func(r *Recorder, _ *robot.ManualClock) {
		r.State(state)
		r.Frame(robot.Frame{Camera: "wrist", At: 901, JPEG: []byte("as sent")})
		r.Clip(robot.Clip{Microphone: "desk", At: 903, Rate: 16000, Samples: make([]float32, 8000)})
	})
	seen := 0
	if _, err := Read(files[0], func(r *Record) error {
		seen++
		switch r.Topic {
		case "joints":
			names, s, err := r.JointState()
			if err != nil || len(names) != 2 || names[1] != "lift" || s != state {
				t.Errorf("joints: %v %+v %v", names, s, err)
			}
			if _, _, _, err := r.Image(); err == nil {
				t.Error("joints were taken for a picture")
			}
		case "camera/wrist":
			camera, format, file, err := r.Image()
			if err != nil || camera != "wrist" || format != "jpeg" || string(file) != "as sent" {
				t.Errorf("image: %q %q %q %v", camera, format, file, err)
			}
		case "microphone/desk":
			if seconds, err := r.Audio(); err != nil || seconds != 0.5 {
				t.Errorf("audio: %g s, %v", seconds, err)
			}
		}
		return nil
	}); err != nil || seen != 3 {
		t.Errorf("%d records, %v", seen, err)
	}
}

func TestSchemaOf(t *testing.T) {
	type inner struct {
		X float64 `json:"x"`
	}
	type outer struct {
		inner
		ID    string  `json:"id"`
		List  []inner `json:"list,omitempty"`
		Next  *outer  `json:"next,omitempty"`
		Count uint64  `json:"count"`
		Hid   int     `json:"-"`
	}
	var s struct {
		Type       string
		Properties map[string]struct {
			Type  string
			Items struct {
				Properties map[string]struct{ Type string }
			}
		}
	}
	if err := json.Unmarshal(SchemaOf(outer{}), &s); err != nil {
		t.Fatal(err)
	}
	if s.Type != "object" || len(s.Properties) != 5 || s.Properties["id"].Type != "string" || s.Properties["x"].Type != "number" ||
		s.Properties["list"].Items.Properties["x"].Type != "number" || s.Properties["count"].Type != "integer" || s.Properties["next"].Type != "object" {
		t.Errorf("%+v", s)
	}
}

// FuzzDecodeProto checks that whatever a hostile file holds is an error or
// something of a sane size.
func FuzzDecodeProto(f *testing.F) {
	joints := twoJoints().Joints
	f.Add(encodeJoints(nil, 1e9, joints, &robot.State{Position: robot.Joints{1, 2}}))
	f.Add(encodeImage(nil, 1e9, "front", "jpeg", []byte{1, 2, 3}))
	f.Add(encodeAudio(nil, 1e9, &robot.Clip{Rate: 16000, Samples: make([]float32, 3)}))
	f.Add([]byte{0x1a, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{schemaImage, schemaJoints, schemaAudio} {
			r := Record{Schema: name, Data: data}
			if _, _, file, err := r.Image(); err == nil && len(file) > len(data) {
				t.Error("a file larger than its message")
			}
			if names, _, err := r.JointState(); err == nil && len(names) > robot.MaxJoints {
				t.Errorf("%d joints", len(names))
			}
			if seconds, err := r.Audio(); err == nil && !(seconds >= 0) {
				t.Errorf("%g s of sound", seconds)
			}
		}
	})
}
