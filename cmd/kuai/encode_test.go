package main

import (
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gocv.io/x/gocv"
)

// aPicture writes a small PNG.
func aPicture(t *testing.T) string {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 48, 40))
	for i := range 48 * 40 {
		picture.Set(i%48, i/48, color.RGBA{uint8(5 * i), uint8(i), uint8(i / 48), 255})
	}
	path := filepath.Join(t.TempDir(), "picture.png")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(file, picture); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

const tinyCLIP = repository + "/perception/encoder/testdata/clip"

func TestEncodePrintsSimilarities(t *testing.T) {
	got := kuai(t.Context(), nil, "", "encode", "--model", tinyCLIP, "--json", aPicture(t), "a red block", "a bowl")
	lines := strings.Split(strings.TrimSpace(got.out), "\n")
	if got.status != 0 || len(lines) != 2 {
		t.Fatalf("%+v", got)
	}
	sum := 0.0
	for i, want := range []string{"a red block", "a bowl"} {
		var m struct {
			Picture, Text       string
			Cosine, Probability float64
		}
		if err := json.Unmarshal([]byte(lines[i]), &m); err != nil {
			t.Fatal(err)
		}
		if m.Text != want || !strings.HasSuffix(m.Picture, "picture.png") || math.Abs(m.Cosine) > 1 || m.Cosine == 0 {
			t.Errorf("%s", lines[i])
		}
		sum += m.Probability
	}
	if math.Abs(sum-1) > 1e-6 {
		t.Errorf("probabilities sum to %g", sum)
	}
	if got := kuai(t.Context(), nil, "", "encode", "--model", tinyCLIP, aPicture(t), "a bowl"); !strings.Contains(got.out, "100.0 %  a bowl") {
		t.Errorf("%+v", got)
	}
}

// aRecording writes a video of so many pictures.
func aRecording(t *testing.T, pictures int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "front.avi")
	w, err := gocv.VideoWriterFile(path, "MJPG", 50, 64, 48, true)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	picture := gocv.NewMatWithSize(48, 64, gocv.MatTypeCV8UC3)
	defer picture.Close()
	for range pictures {
		if err := w.Write(picture); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestEncodeLooksThroughACamera(t *testing.T) {
	url := "file:" + aRecording(t, 3)
	got := kuai(t.Context(), nil, "", "encode", "--model", tinyCLIP, "--camera", url, "--json", "a bowl")
	lines := strings.Split(strings.TrimSpace(got.out), "\n")
	if got.status != 0 || len(lines) > 3 || !strings.Contains(lines[0], `"text":"a bowl"`) || !strings.Contains(lines[0], url) {
		t.Errorf("%+v", got)
	}
}

func TestEncodeErrors(t *testing.T) {
	picture := aPicture(t)
	broken := filepath.Join(t.TempDir(), "broken.jpg")
	if err := os.WriteFile(broken, []byte("\xff\xd8 no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		status int
		want   string
		args   []string
	}{
		{exitInput, "--model FOLDER", []string{picture, "a bowl"}},
		{exitInput, "at least one picture", []string{"--model", tinyCLIP, "a bowl"}},
		{exitInput, "one text", []string{"--model", tinyCLIP, picture}},
		{exitInput, `--precision "f64"`, []string{"--model", tinyCLIP, "--precision", "f64", picture, "a bowl"}},
		{exitInput, `--backend "gpu"`, []string{"--model", tinyCLIP, "--backend", "gpu", picture, "a bowl"}},
		{exitInput, "none.png", []string{"--model", tinyCLIP, "none.png", "a bowl"}},
		{exitInput, "broken.jpg: ", []string{"--model", tinyCLIP, broken, "a bowl"}},
		{exitInput, `url scheme "ftp" is not known`, []string{"--model", tinyCLIP, "--camera", "ftp://x", "a bowl"}},
		{exitFailed, "config.json", []string{"--model", t.TempDir(), picture, "a bowl"}},
	} {
		got := kuai(t.Context(), nil, "", append([]string{"encode"}, c.args...)...)
		if got.status != c.status || !strings.Contains(got.errors, c.want) || got.out != "" {
			t.Errorf("%v: %+v, want status %d and %q", c.args, got, c.status, c.want)
		}
	}
}
