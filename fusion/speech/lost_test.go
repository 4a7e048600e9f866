package speech_test

import (
	"context"
	"errors"
	"testing"

	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/kernels/cuda"
	"github.com/kuai-robot/kuai/kernels/kerneltest"
	"github.com/kuai-robot/kuai/kernels/ref"
)

// TestLost: whenever the device is lost, also while the model is opened, what is heard
// is what would have been, and one event tells of it. The file is closed by then.
func TestLost(t *testing.T) {
	want, runs := lostAt(t, 1<<30)
	for at := 1; at <= runs; at++ {
		if got, _ := lostAt(t, at); got != want {
			t.Errorf("lost in run %d of %d: %q, want %q", at, runs, got, want)
		}
	}
}

// lostAt hears two clips with a device that is lost at a run.
func lostAt(t *testing.T, at int) (text string, runs int) {
	t.Helper()
	device, events := kerneltest.NewFailing(ref.New(), at, cuda.ErrLost), 0
	backend := cuda.NewFallback(device, ref.New(), func(error) { events++ })
	r, err := speech.Open("../../perception/encoder/testdata/whisper", backend, speech.Options{Tail: 20, Tokens: 4})
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{8000, 5000} {
		clip := make([]float32, n)
		for i := range clip {
			clip[i] = float32(i*i%97)/97 - 0.5
		}
		heard, err := s.Transcribe(context.Background(), clip, "en")
		if err != nil {
			t.Fatal(err)
		}
		text += heard.Text + "|"
	}
	if lost := device.Runs() >= at; lost != (events == 1) {
		t.Errorf("lost in run %d: %d events", at, events)
	}
	if err := errors.Join(s.Close(), r.Close()); err != nil {
		t.Error(err)
	}
	return text, device.Runs()
}
