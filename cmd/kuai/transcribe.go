package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/internal/models"
	"github.com/kuai-robot/kuai/perception/audio"
)

// transcribeFlags are what the user asked for.
type transcribeFlags struct {
	computeFlags
	model, language, reference string
	beam, rate                 int
}

func (a *app) transcribeCommand() *cobra.Command {
	var f transcribeFlags
	c := &cobra.Command{
		Use:   "transcribe FILE...",
		Short: "Write down what is said in sound files",
		Long: "Hears WAV, MP3, OGG and FLAC files of any length, and raw ones of 16-bit samples (.raw, .pcm; see --rate), with Whisper, and prints\n" +
			"each text with its confidence and how long it took. With a reference it prints the word error rate\n" +
			"too. A reference is a text file: the words of the one FILE, or lines \"NAME<tab>WORDS\" or\n" +
			"\"WORDS (NAME)\", where NAME is that of a FILE without its ending.",
		Example: "  kuai transcribe order.wav\n  kuai transcribe --language de --json *.wav\n  kuai transcribe --reference words.txt a.wav b.wav",
		RunE:    func(c *cobra.Command, files []string) error { return a.transcribe(c.Context(), &f, files) },
	}
	flags := c.Flags()
	flags.StringVar(&f.model, "model", "whisper-base", "`NAME` of a model (see kuai models list), or a folder")
	flags.StringVar(&f.language, "language", "", "what is spoken: en, zh, de, …; none: the model listens for it")
	flags.StringVar(&f.reference, "reference", "", "`FILE` of the words that are said")
	flags.IntVar(&f.beam, "beam", 1, "`HYPOTHESES` to follow, 1 to 8")
	flags.IntVar(&f.rate, "rate", audio.Rate, "samples a second of raw files, `HZ`")
	f.add(c)
	return c
}

// modelFolder finds a model by name, or takes a folder as it is.
func modelFolder(name string) (string, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return name, nil
	}
	store, err := models.NewStore()
	if err != nil {
		return "", err
	}
	if _, err := store.Model(name); err != nil {
		return "", &exitError{exitInput, fmt.Errorf("%w; nor is it a folder", err)}
	}
	return store.Find(name)
}

func (a *app) transcribe(ctx context.Context, f *transcribeFlags, files []string) error {
	if len(files) == 0 {
		return exitf(exitInput, "which file? (see kuai transcribe --help)")
	}
	spoken, err := readReference(f.reference, files)
	if err != nil {
		return err
	}
	backend, options, err := f.resolve(a)
	if err != nil {
		return err
	}
	dir, err := modelFolder(f.model)
	if err != nil {
		return err
	}
	r, err := speech.Open(dir, backend, speech.Options{Beam: f.beam, Compile: options, Sound: f.onCard()})
	if err != nil {
		return err
	}
	s, err := r.NewSession()
	if err != nil {
		return errors.Join(err, r.Close())
	}
	err = a.transcribeFiles(ctx, s, f, files, spoken)
	return errors.Join(err, s.Close(), r.Close())
}

func (a *app) transcribeFiles(ctx context.Context, s *speech.Session, f *transcribeFlags, files []string, spoken map[string]string) error {
	var wrong, words int
	for _, path := range files {
		file, err := openSound(path, f.rate)
		if err != nil {
			return err
		}
		start := a.clock.Now()
		result, samples, err := transcribeSound(ctx, s, file, f.language)
		if err := errors.Join(err, file.close()); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		heard := transcript{
			File: path, Text: result.Text, Language: result.Language, Confidence: result.Confidence, NoSpeech: result.NoSpeech,
			Repeats: result.Repeats, Seconds: float64(samples) / audio.Rate, Milliseconds: 1e3 * a.clock.Now().Sub(start).Seconds(),
		}
		if said, ok := spoken[stem(path)]; ok {
			e := speech.Compare(said, result.Text)
			rate := e.Rate()
			heard.WER, heard.Reference = &rate, said
			wrong, words = wrong+e.Total(), words+e.Words
		}
		if err := a.printTranscript(&heard); err != nil {
			return err
		}
	}
	if words > 0 && !a.json {
		a.out.line("%s", a.out.bold(fmt.Sprintf("word error rate %.1f %%: %d errors in %d words", 100*float64(wrong)/float64(words), wrong, words)))
	}
	return nil
}

// transcript is what is printed of one file.
type transcript struct {
	File         string   `json:"file"`
	Text         string   `json:"text"`
	Language     string   `json:"language"`
	Confidence   float64  `json:"confidence"`
	NoSpeech     float64  `json:"no_speech"`
	Repeats      bool     `json:"repeats,omitempty"`
	Seconds      float64  `json:"seconds"`
	Milliseconds float64  `json:"ms"`
	Reference    string   `json:"reference,omitempty"`
	WER          *float64 `json:"wer,omitempty"`
}

func (a *app) printTranscript(t *transcript) error {
	if a.json {
		return a.printJSON(t)
	}
	notes := fmt.Sprintf("%s, %.0f %% sure, %.1f s in %.0f ms", t.Language, 100*t.Confidence, t.Seconds, t.Milliseconds)
	if t.NoSpeech > 0.5 {
		notes += fmt.Sprintf(", %.0f %% that nobody speaks", 100*t.NoSpeech)
	}
	if t.Repeats {
		notes += ", ended because it repeats itself"
	}
	if t.WER != nil {
		notes += fmt.Sprintf(", word error rate %.1f %%", 100**t.WER)
	}
	a.out.line("%s  %s", a.out.bold(t.File), t.Text)
	a.out.line("  %s", a.out.dim(notes))
	return nil
}

func stem(path string) string {
	name := filepath.Base(path)
	return strings.TrimSuffix(name, filepath.Ext(name))
}

// readReference gives the words that are said in each file, by its stem.
func readReference(path string, files []string) (map[string]string, error) {
	spoken := map[string]string{}
	if path == "" {
		return spoken, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, &exitError{exitInput, err}
	}
	text := strings.TrimSpace(string(data))
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(strings.NewReplacer("<s>", "", "</s>", "").Replace(line))
		if name, words, ok := strings.Cut(line, "\t"); ok {
			spoken[strings.TrimSpace(name)] = words
			continue
		}
		if at := strings.LastIndexByte(line, '('); at >= 0 && strings.HasSuffix(line, ")") {
			spoken[line[at+1:len(line)-1]] = line[:at]
		}
	}
	if len(spoken) == 0 && len(files) == 1 {
		spoken[stem(files[0])] = text
	}
	for _, file := range files {
		if _, ok := spoken[stem(file)]; !ok {
			return nil, exitf(exitInput, "%s: says nothing about %s", path, stem(file))
		}
	}
	return spoken, nil
}
