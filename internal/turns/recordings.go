package turns

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/robot"
)

// RecordingsFolder is where Debian's pocketsphinx-testdata puts its recordings.
const RecordingsFolder = "/usr/share/pocketsphinx/test/data"

// recordings.json lists recordings of people and what they say, by the
// transcriptions that come with them, for scripts/peers as well.
//
//go:embed recordings.json
var recordingsList []byte

// Recording is a person who speaks.
type Recording struct {
	File string `json:"file"` // in RecordingsFolder
	Said string `json:"said"`
}

// Recordings gives the recordings that the word error rate is measured with.
func Recordings() ([]Recording, error) {
	var all []Recording
	if err := json.Unmarshal(recordingsList, &all); err != nil {
		return nil, fmt.Errorf("recordings.json: %w", err)
	}
	return all, nil
}

// Score counts the errors of one text for each recording, in their order.
func Score(texts []string) (speech.Errors, error) {
	var sum speech.Errors
	all, err := Recordings()
	if err == nil && len(all) != len(texts) {
		err = fmt.Errorf("%d texts for %d recordings", len(texts), len(all))
	}
	if err != nil {
		return sum, err
	}
	for i, r := range all {
		e := speech.Compare(r.Said, texts[i])
		sum.Words, sum.Wrong, sum.Lost, sum.Extra = sum.Words+e.Words, sum.Wrong+e.Wrong, sum.Lost+e.Lost, sum.Extra+e.Extra
	}
	return sum, nil
}

// WriteScore reads the texts of all recordings as one array of JSON and writes
// {"errors", "words"}: whoever heard them is counted in the same way.
func WriteScore(in io.Reader, out io.Writer) error {
	var texts []string
	if err := json.NewDecoder(in).Decode(&texts); err != nil {
		return fmt.Errorf("texts: %w", err)
	}
	e, err := Score(texts)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(map[string]int{"errors": e.Total(), "words": e.Words})
}

func readRecording(path string) ([]float32, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	var sound *robot.Clip
	if strings.HasSuffix(path, ".raw") {
		sound, err = audio.ReadRaw(file, audio.Rate)
	} else {
		sound, err = audio.ReadWAV(file)
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("recording %s: %w", path, err)
	}
	return audio.Resample(sound.Samples, sound.Rate, audio.Rate), nil
}

// openRecordings readies the recognition of all recordings in the folder w.Input,
// one after the other: a turn is their texts.
func (t *Turns) openRecordings(w Work, o kernels.Options) error {
	all, err := Recordings()
	if err != nil {
		return err
	}
	var clips [][]float32
	for _, r := range all {
		samples, err := readRecording(filepath.Join(w.Input, r.File))
		if err != nil {
			return err
		}
		clips = append(clips, samples)
	}
	r, err := speech.Open(w.Model, t.backend, speech.Options{Compile: o})
	if err != nil {
		return err
	}
	s, err := r.NewSession()
	if err != nil {
		return errors.Join(err, r.Close())
	}
	t.close = func() error { return errors.Join(s.Close(), r.Close()) }
	t.once = func(ctx context.Context, turn *Turn) error {
		began := t.clock.Now()
		for _, samples := range clips {
			result, err := s.Transcribe(ctx, samples, "en")
			if err != nil {
				return err
			}
			turn.Texts = append(turn.Texts, result.Text)
		}
		turn.Milliseconds = t.since(began)
		return nil
	}
	return nil
}
