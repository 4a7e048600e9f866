package loudspeaker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/kuai-robot/kuai/perception/audio"
)

// Espeak speaks with the program espeak-ng.
type Espeak struct {
	// Voice is a language or a voice: en, en-us+f3, cmn; empty: en.
	Voice string
	// Speed in words a minute, Pitch from 0 to 99; 0: the program's own.
	Speed, Pitch int
}

const (
	espeakWithin = 10 * time.Second
	longestText  = 1000
)

// espeakVoices are the voices for language codes that espeak-ng has under
// another name.
var espeakVoices = map[string]string{"zh": "cmn"}

// Speak implements Speaker.
func (e Espeak) Speak(ctx context.Context, text string) ([]float32, error) {
	if len(text) > longestText {
		return nil, fmt.Errorf("speech: %d bytes, at most %d are spoken", len(text), longestText)
	}
	voice := e.Voice
	if other, ok := espeakVoices[voice]; ok {
		voice = other
	}
	args := []string{"--stdin", "--stdout"}
	if voice != "" {
		args = append(args, "-v", voice)
	}
	if e.Speed > 0 {
		args = append(args, "-s", strconv.Itoa(e.Speed))
	}
	if e.Pitch > 0 {
		args = append(args, "-p", strconv.Itoa(e.Pitch))
	}
	ctx, cancel := context.WithTimeout(ctx, espeakWithin)
	defer cancel()
	command := exec.CommandContext(ctx, "espeak-ng", args...)
	command.Stdin = strings.NewReader(text)
	var out, complaint bytes.Buffer
	command.Stdout, command.Stderr = &out, &complaint
	err := command.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("speech: espeak-ng is not installed (apt-get install espeak-ng)")
	case err != nil:
		return nil, fmt.Errorf("speech: espeak-ng: %w %s", err, strings.TrimSpace(complaint.String()))
	}
	clip, err := audio.ReadWAV(&out)
	if err != nil {
		return nil, fmt.Errorf("speech: espeak-ng: %w", err)
	}
	return audio.Resample(clip.Samples, clip.Rate, audio.Rate), nil
}
