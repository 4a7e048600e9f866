package main

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// soundHead is a folder with the small head and the small encoders beside it.
func soundHead(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, from := range map[string]string{
		"config.json": "fusion/embed/testdata/sound/config.json", "model.safetensors": "fusion/embed/testdata/sound/model.safetensors",
		"whisper": "perception/encoder/testdata/whisper", "bert": "perception/encoder/testdata/bert",
	} {
		path, err := filepath.Abs(filepath.Join(repository, from))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// aTone writes a raw file of a tone.
func aTone(t *testing.T, samples int) string {
	t.Helper()
	var data []byte
	for i := range samples {
		data = binary.LittleEndian.AppendUint16(data, uint16(int16(8000*math.Sin(float64(i)/5))))
	}
	path := filepath.Join(t.TempDir(), "clip.raw")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEncodeSounds(t *testing.T) {
	got := kuai(t.Context(), nil, "", "encode", "--audio-head", soundHead(t), "--json", aTone(t, 8000), "go forward", "stop")
	lines := strings.Split(strings.TrimSpace(got.out), "\n")
	if got.status != 0 || len(lines) != 2 {
		t.Fatalf("%+v", got)
	}
	sum := 0.0
	for i, want := range []string{"go forward", "stop"} {
		var m struct {
			Sound, Text         string
			Cosine, Probability float64
		}
		if err := json.Unmarshal([]byte(lines[i]), &m); err != nil {
			t.Fatal(err)
		}
		if m.Text != want || !strings.HasSuffix(m.Sound, "clip.raw") || math.Abs(m.Cosine) > 1 || m.Cosine == 0 {
			t.Errorf("%s", lines[i])
		}
		sum += m.Probability
	}
	if math.Abs(sum-1) > 1e-6 {
		t.Errorf("probabilities sum to %g", sum)
	}
}

func TestEncodeSoundErrors(t *testing.T) {
	head, clip := soundHead(t), aTone(t, 8000)
	for _, c := range []struct {
		status int
		want   string
		args   []string
	}{
		{exitInput, "at least one sound file", []string{"stop"}},
		{exitInput, "one text", []string{clip}},
		{exitInput, "neither --model", []string{"--model", tinyCLIP, clip, "stop"}},
		{exitInput, "none.wav", []string{"none.wav", "stop"}},
		{exitInput, "cut the clip", []string{aTone(t, 30000), "stop"}},
		{exitInput, "clip.raw", []string{aTone(t, 0), "stop"}},
	} {
		got := kuai(t.Context(), nil, "", append([]string{"encode", "--audio-head", head}, c.args...)...)
		if got.status != c.status || !strings.Contains(got.errors, c.want) || got.out != "" {
			t.Errorf("%v: %+v, want status %d and %q", c.args, got, c.status, c.want)
		}
	}
	if got := kuai(t.Context(), nil, "", "encode", "--audio-head", t.TempDir(), clip, "stop"); got.status != exitFailed || !strings.Contains(got.errors, "config.json") {
		t.Errorf("%+v", got)
	}
}
