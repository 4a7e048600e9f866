package main

import (
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// somePictures are small and differ.
func somePictures(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	data, err := os.ReadFile(aPicture(t))
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, strings.Repeat("p", i+1)+".png"), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A tower is quantised on pictures and then used like any other.
func TestQuantize(t *testing.T) {
	out := filepath.Join(t.TempDir(), "int8")
	got := kuai(t.Context(), nil, "", "quantize", "--json", "--model", tinyCLIP, "--out", out, somePictures(t, 5))
	var report struct {
		Seen, Quantised int
		HeldOut         int `json:"held_out"`
		Loss            struct {
			Least float64 `json:"cosine_min"`
		}
		Before int64 `json:"bytes_before"`
		After  int64 `json:"bytes_after"`
	}
	if got.status != 0 || json.Unmarshal([]byte(got.out), &report) != nil {
		t.Fatalf("%+v", got)
	}
	if report.Seen != 4 || report.HeldOut != 1 || report.Quantised < 10 || report.Loss.Least < 0.99 || report.After >= report.Before {
		t.Errorf("%s", got.out)
	}
	if got := kuai(t.Context(), nil, "", "encode", "--model", out, aPicture(t), "a bowl"); got.status != 0 || !strings.Contains(got.out, "a bowl") {
		t.Errorf("%+v", got)
	}
	again := kuai(t.Context(), nil, "", "quantize", "--model", tinyCLIP, "--out", out, somePictures(t, 3))
	if again.status == 0 || !strings.Contains(again.errors, "exists already") {
		t.Errorf("%+v", again)
	}
}

// A decoder is calibrated on the lines of a text, and tells its figures to people.
func TestQuantizeLanguage(t *testing.T) {
	lines := filepath.Join(t.TempDir(), "lines.txt")
	if err := os.WriteFile(lines, []byte("put the red block in the bowl\n\nopen the drawer\npush the button\nput it back\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "int8")
	got := kuai(t.Context(), nil, "", "quantize", "--model", repository+"/fusion/testdata/tiny/llama", "--out", out, lines)
	for _, want := range []string{"matrices in int8", "3 samples seen, 1 held out", "worst", "size", "times f32"} {
		if got.status != 0 || !strings.Contains(got.out, want) {
			t.Fatalf("no %q in %+v", want, got)
		}
	}
}

func TestQuantizeMistakes(t *testing.T) {
	empty := t.TempDir()
	broken := filepath.Join(t.TempDir(), "broken.jpg")
	if err := os.WriteFile(broken, []byte("\xff\xd8\xff\xe0 not a picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		want string
		args []string
	}{
		{"want --model", nil},
		{"want --model", []string{"--model", tinyCLIP, "--out", "x"}},
		{"neither pictures", []string{"--model", tinyCLIP, "--out", "x", empty}},
		{"at least two samples", []string{"--model", tinyCLIP, "--out", "x", aPicture(t)}},
		{"broken.jpg", []string{"--model", tinyCLIP, "--out", "x", broken}},
		{"nowhere", []string{"--model", tinyCLIP, "--out", "x", filepath.Join(empty, "nowhere")}},
		{"nor is it a folder", []string{"--model", "nothing", "--out", "x", empty}},
		{"config.json", []string{"--model", empty, "--out", "x", aPicture(t)}},
		{"--samples 1", []string{"--model", tinyCLIP, "--out", "x", "--samples", "1", empty}},
		{`activations "best"`, []string{"--model", tinyCLIP, "--out", "x", "--activations", "best", somePictures(t, 3)}},
		{"no sound", []string{"--model", repository + "/perception/encoder/testdata/whisper", "--out", "x", empty}},
	} {
		got := kuai(t.Context(), nil, "", append([]string{"quantize"}, c.args...)...)
		if got.status == 0 || !strings.Contains(got.errors, c.want) {
			t.Errorf("%q: status %d, %q; want an error that says %q", c.args, got.status, got.errors, c.want)
		}
	}
}

// A camera that sends nothing is given up, with what was wrong told before.
func TestQuantizeWaitsForNoSilentCamera(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "rtsp://" + listener.Addr().String() + "/front"
	listener.Close()
	clock := robot.NewManualClock(time.Unix(0, 0), 1)
	a := &app{clock: clock, errors: &terminal{Writer: io.Discard}}
	ended := make(chan error)
	go func() {
		_, err := a.cameraFrames(t.Context(), url, 3)
		ended <- err
	}()
	for {
		select {
		case err := <-ended:
			if err == nil || !strings.Contains(err.Error(), "no picture for 10s") {
				t.Errorf("ended with %v", err)
			}
			return
		default:
			if clock.Waiting() > 0 {
				clock.Advance(time.Second)
			}
			runtime.Gosched()
		}
	}
}
