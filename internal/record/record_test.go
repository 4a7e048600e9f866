package record

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/kuai-robot/kuai/robot"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)

func twoJoints() *robot.Description {
	return &robot.Description{Name: "two", Joints: []robot.Joint{{Name: "pan"}, {Name: "lift"}}}
}

// recordAll runs a recorder over what feed puts in and gives its files.
func recordAll(t *testing.T, o Options, feed func(*Recorder, *robot.ManualClock)) (*Recorder, []string) {
	t.Helper()
	clock := robot.NewManualClock(epoch, robot.Time(time.Second))
	o.Clock, o.Description = clock, twoJoints()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	r, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	feed(r, clock)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := r.Run(ended); err != nil {
		t.Fatal(err)
	}
	files, err := recordings(o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	return r, files
}

func TestEverySampleComesBack(t *testing.T) {
	frame := robot.Frame{Camera: "front", At: 900, Width: 2, Height: 1, Pixels: []byte{255, 0, 0, 250, 5, 5}}
	asSent := robot.Frame{Camera: "wrist", At: 901, JPEG: []byte("as the camera sent it")}
	state := robot.State{At: 902, Position: robot.Joints{0.1, math.Pi}, Velocity: robot.Joints{1e-300, -2}, Effort: robot.Joints{3, 4}}
	clip := robot.Clip{Microphone: "desk", At: 903, Rate: 16000, Samples: []float32{0, 1, -1, 2}}
	_, files := recordAll(t, Options{}, func(r *Recorder, _ *robot.ManualClock) {
		r.Frame(frame)
		r.Frame(asSent)
		r.State(state)
		r.Clip(clip)
		r.Log(904, 3, "camera", "frozen")
		r.Message("plan", 905, []byte(`{"step":1}`))
	})
	if len(files) != 1 {
		t.Fatalf("files: %v", files)
	}
	got := map[string]map[string]any{}
	summary, err := Read(files[0], func(r *Record) error {
		if r.LoggedAt != robot.Time(time.Second) {
			t.Errorf("%s logged at %v", r.Topic, r.LoggedAt)
		}
		if want := epoch.Add(time.Duration(r.At)); !r.Wall(r.At).Equal(want) {
			t.Errorf("%s: wall time %v, want %v", r.Topic, r.Wall(r.At), want)
		}
		got[r.Topic] = decode(t, r)
		got[r.Topic]["at"] = int64(r.At)
		return nil
	})
	if err != nil || summary.Messages != 6 || summary.Truncated {
		t.Fatalf("Read: %+v, %v", summary, err)
	}
	want := map[string]map[string]any{
		"camera/wrist":    {"format": "jpeg", "frameId": "wrist", "at": int64(901)},
		"joints":          {"name": []any{"pan", "lift"}, "position": []any{0.1, math.Pi}, "velocity": []any{1e-300, -2.0}, "effort": []any{3.0, 4.0}},
		"microphone/desk": {"format": "pcm-s16", "sampleRate": 16000.0, "numberOfChannels": 1.0, "data": "AAD/fwGA/38="},
		"log":             {"level": "WARNING", "message": "frozen", "name": "camera", "timestamp": "2026-01-02T03:04:05.000001582Z"},
		"plan":            {"step": 1.0, "at": int64(905)},
	}
	for topic, fields := range want {
		for name, value := range fields {
			if fmt.Sprint(got[topic][name]) != fmt.Sprint(value) {
				t.Errorf("%s.%s = %v, want %v", topic, name, got[topic][name], value)
			}
		}
	}
}

// decode gives the fields of a record by nothing but the schema in the file,
// as Foxglove would.
func decode(t *testing.T, r *Record) map[string]any {
	t.Helper()
	data := r.Data
	if r.schema.encoding == encodingProtobuf {
		var set descriptorpb.FileDescriptorSet
		if err := proto.Unmarshal(r.schema.data, &set); err != nil {
			t.Fatal(err)
		}
		files, err := protodesc.NewFiles(&set)
		if err != nil {
			t.Fatalf("schema %s: %v", r.Schema, err)
		}
		d, err := files.FindDescriptorByName(protoreflect.FullName(r.Schema))
		if err != nil {
			t.Fatal(err)
		}
		m := dynamicpb.NewMessage(d.(protoreflect.MessageDescriptor))
		if err := proto.Unmarshal(r.Data, m); err != nil {
			t.Fatalf("%s: %v", r.Topic, err)
		}
		if data, err = protojson.Marshal(m); err != nil {
			t.Fatal(err)
		}
	}
	fields := map[string]any{}
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}

func TestPixelsAreStoredAsJPEG(t *testing.T) {
	f := robot.Frame{Width: 16, Height: 8, Pixels: bytes.Repeat([]byte{200, 40, 10}, 16*8)}
	data, err := encodeJPEG(&f)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	r, g, b, _ := picture.At(5, 5).RGBA()
	for i, c := range []uint32{r, g, b} {
		if want := []int{200, 40, 10}[i]; int(c>>8) < want-4 || int(c>>8) > want+4 {
			t.Errorf("channel %d = %d, want %d", i, c>>8, want)
		}
	}
	f.Pixels = f.Pixels[1:]
	if _, err := encodeJPEG(&f); err == nil {
		t.Error("a picture with a byte missing was encoded")
	}
}

func TestDiskBudgetRemovesOldestFirst(t *testing.T) {
	dir := t.TempDir()
	payload := []byte(`{"text":"` + string(bytes.Repeat([]byte("x"), 1000)) + `"}`)
	const fileBytes, budget = 20_000, 100_000
	_, files := recordAll(t, Options{Dir: dir, FileBytes: fileBytes, MaxBytes: budget, Queue: 5000, FlushEvery: 20 * time.Millisecond},
		func(r *Recorder, clock *robot.ManualClock) {
			done := make(chan error)
			ctx, cancel := context.WithCancel(context.Background())
			go func() { done <- r.Run(ctx) }()
			for i := range 4000 {
				clock.Advance(2 * time.Millisecond)
				text := fmt.Sprintf(`{"i":%d,"noise":%q}`, i, noise(i))
				r.Message("event", clock.Now(), []byte(text))
				for r.Written()+r.Dropped() <= uint64(i) {
				}
			}
			r.Message("event", clock.Now(), payload)
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	total, newest := int64(0), 0
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
		if _, err := Read(f, func(r *Record) error {
			var m struct{ I int }
			newest = max(newest, m.I)
			err := json.Unmarshal(r.Data, &m)
			newest = max(newest, m.I)
			return err
		}); err != nil {
			t.Error(err)
		}
	}
	if total > budget || len(files) < 3 {
		t.Errorf("%d files of %d bytes together, want at most %d in several files", len(files), total, budget)
	}
	if newest != 3999 {
		t.Errorf("newest message kept is %d, want 3999", newest)
	}
}

func noise(i int) string {
	b := make([]byte, 200)
	x := uint32(i)*2654435761 + 1
	for j := range b {
		x = x*1664525 + 1013904223
		b[j] = 'a' + byte(x>>27)%26
	}
	return string(b)
}

func TestACutFileIsReadUpToTheCutAndRepaired(t *testing.T) {
	_, files := recordAll(t, Options{FlushEvery: time.Millisecond, Queue: 2000}, func(r *Recorder, clock *robot.ManualClock) {
		for i := range 500 {
			clock.Advance(time.Millisecond)
			r.Message("event", clock.Now(), []byte(fmt.Sprintf(`{"i":%d}`, i)))
		}
	})
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for cut := 0; cut < len(whole); cut += 997 {
		path := filepath.Join(dir, "cut.mcap")
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		before := uint64(0)
		if cut > 0 {
			before = count(t, path)
		}
		if err := Repair(path); err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if before == 0 {
			if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("cut at %d: an empty recording was kept: %v", cut, err)
			}
			continue
		}
		if after := count(t, path); after != before {
			t.Errorf("cut at %d: %d messages before the repair, %d after", cut, before, after)
		}
		if ok, err := complete(path); !ok || err != nil {
			t.Errorf("cut at %d: not complete after the repair: %v", cut, err)
		}
	}
}

func count(t *testing.T, path string) uint64 {
	t.Helper()
	summary, err := Read(path, func(*Record) error { return nil })
	if err != nil && summary.Messages > 0 {
		t.Fatal(err)
	}
	return summary.Messages
}

func TestAFailingDiskIsToldOnceAndRecordingResumes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "recordings")
	var faults []error
	clock := robot.NewManualClock(epoch, 1)
	r, err := Open(Options{Dir: dir, Clock: clock, Description: twoJoints(), OnFault: func(err error) { faults = append(faults, err) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	s := sample{topic: "event", encode: func() ([]byte, error) { return []byte("{}"), nil }}
	r.write(s)
	r.write(s)
	if len(faults) != 1 || faults[0] == nil || r.Dropped() != 2 {
		t.Fatalf("faults %v, dropped %d; want one fault and 2", faults, r.Dropped())
	}
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	r.write(s)
	if r.Written() != 0 {
		t.Error("tried again before retryAfter")
	}
	clock.Advance(retryAfter)
	r.write(s)
	if len(faults) != 2 || faults[1] != nil || r.Written() != 1 {
		t.Errorf("faults %v, written %d; want an all-clear and 1", faults, r.Written())
	}
}

func TestAFullQueueDropsAndCounts(t *testing.T) {
	r, _ := recordAll(t, Options{Queue: 3}, func(r *Recorder, _ *robot.ManualClock) {
		for range 5 {
			r.Message("event", 1, []byte("{}"))
		}
	})
	if r.Dropped() != 2 || r.Written() != 3 {
		t.Errorf("dropped %d, written %d; want 2 and 3", r.Dropped(), r.Written())
	}
}

func FuzzRead(f *testing.F) {
	dir := f.TempDir()
	clock := robot.NewManualClock(epoch, 1)
	path := filepath.Join(dir, "seed.mcap")
	out, err := createFile(path, epoch, clock.Now(), time.Hour, map[string]string{"robot": "two"})
	if err != nil {
		f.Fatal(err)
	}
	for i := range 3 {
		if err := out.write("event", schema{name: "kuai/event", encoding: schemaEncodingJSON}, 1, robot.Time(i), []byte(`{"a":1}`)); err != nil {
			f.Fatal(err)
		}
	}
	if err := out.close(); err != nil {
		f.Fatal(err)
	}
	seed, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add(seed[:len(seed)/2])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		n := uint64(0)
		summary, _ := read(bytes.NewReader(data), func(*Record) error { n++; return nil })
		if n != summary.Messages {
			t.Errorf("%d callbacks, summary says %d", n, summary.Messages)
		}
	})
}
