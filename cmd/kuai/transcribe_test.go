package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const tinyWhisper = repository + "/perception/encoder/testdata/whisper"

// aClip writes half a second of raw samples.
func aClip(t *testing.T, name string) string {
	t.Helper()
	data := make([]byte, 16000)
	for i := range data {
		data[i] = byte(i * i >> 3)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTranscribePrintsWhatItHears(t *testing.T) {
	clip := aClip(t, "order.raw")
	reference := filepath.Join(t.TempDir(), "words.txt")
	if err := os.WriteFile(reference, []byte("<s> go forward </s> (order)\nno more\t(x)\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := kuai(t.Context(), nil, "", "transcribe", "--model", tinyWhisper, "--json", "--language", "en", "--reference", reference, clip)
	var heard struct {
		File, Text, Language, Reference string
		Confidence, Seconds, Ms         float64
		WER                             *float64
	}
	if err := json.Unmarshal([]byte(got.out), &heard); err != nil || got.status != 0 {
		t.Fatalf("%+v: %v", got, err)
	}
	if heard.File != clip || heard.Language != "en" || heard.Seconds != 0.5 || heard.Confidence <= 0 || heard.Confidence > 1 || heard.WER == nil || *heard.WER == 0 {
		t.Errorf("%s", got.out)
	}
	got = kuai(t.Context(), nil, "", "transcribe", "--model", tinyWhisper, "--reference", reference, clip)
	if got.status != 0 || !strings.Contains(got.out, "errors in 2 words") || !strings.Contains(got.out, "0.5 s in ") {
		t.Errorf("%+v", got)
	}
}

func TestTranscribeErrors(t *testing.T) {
	clip, song := aClip(t, "order.raw"), aClip(t, "song.aac")
	broken, empty := aClip(t, "broken.wav"), filepath.Join(t.TempDir(), "empty.raw")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		status int
		want   string
		args   []string
	}{
		{exitInput, "which file", nil},
		{exitInput, "none.wav", []string{"none.wav"}},
		{exitInput, "reads (.wav", []string{song}},
		{exitInput, "not what its ending says", []string{aClip(t, "noise.mp3")}},
		{exitInput, "does not begin with RIFF", []string{broken}},
		{exitInput, "the clip is empty", []string{empty}},
		{exitInput, "5 Hz", []string{"--rate", "5", clip}},
		{exitFailed, "a beam of 20", []string{"--beam", "20", clip}},
		{exitFailed, `language "xx"`, []string{"--language", "xx", clip}},
		{exitInput, "says nothing about order", []string{"--reference", clip, clip, song}},
		{exitInput, "nor is it a folder", []string{"--model", "nothing", clip}},
		{exitInput, `--precision "half"`, []string{"--precision", "half", clip}},
	} {
		args := append([]string{"transcribe", "--model", tinyWhisper}, c.args...)
		if got := kuai(t.Context(), nil, "", args...); got.status != c.status || !strings.Contains(got.errors, c.want) || got.out != "" {
			t.Errorf("%v: %+v, want status %d and %q", c.args, got, c.status, c.want)
		}
	}
}
