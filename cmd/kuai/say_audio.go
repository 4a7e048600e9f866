package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/fusion/listen"
	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/daemon"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/policy/dialogue"
)

// spokenFlags are for an instruction that is in a sound file.
type spokenFlags struct {
	computeFlags
	file, model, language string
}

func (f *spokenFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.file, "audio", "", "say what is said in a sound `FILE` (.wav, .mp3, .ogg, .flac, .raw at 16 kHz)")
	flags.StringVar(&f.model, "speech-model", "", "`NAME` of the model that hears it, or a folder; none: voice.model of the configuration")
	flags.StringVar(&f.language, "language", "", "what is spoken in it; none: voice.language of the configuration")
	f.add(c)
}

// spokenText gives the instruction in a sound file, and says what it heard. What
// is unclear is no instruction.
func (a *app) spokenText(ctx context.Context, f *spokenFlags, args []string) (text string, err error) {
	if len(args) > 0 {
		return "", exitf(exitInput, "either TEXT or --audio FILE")
	}
	settings, err := config.Load(a.configPath)
	if err != nil {
		return "", &exitError{exitInput, err}
	}
	voice := &settings.Voice
	catalogue, err := daemon.Catalogue(&settings)
	if err != nil {
		return "", &exitError{exitInput, err}
	}
	clip, err := readSound(f.file, audio.Rate)
	if err != nil {
		return "", err
	}
	backend, options, err := f.resolve(a)
	if err != nil {
		return "", err
	}
	dir, err := modelFolder(first(f.model, voice.Model))
	if err != nil {
		return "", err
	}
	ears, err := listen.Open(dir, backend, f.earOptions(options))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, ears.Close()) }()
	ears.Expect(dialogue.Sayings(catalogue, nil), voice.Expect)
	r, err := ears.Again(ctx, audio.Resample(clip.Samples, clip.Rate, audio.Rate), first(f.language, voice.Language), &speech.Result{})
	if err != nil {
		return "", err
	}
	a.errors.line("%s", a.errors.dim("heard: "+r.Text))
	if problem := listen.Judge(&r); problem != "" {
		return "", exitf(exitInput, "%s: not understood: %s (say it again, nearer to the microphone)", f.file, problem)
	}
	if r.Confidence < voice.Sure {
		return "", exitf(exitInput, "%s: only %.0f %% sure of %q, voice.sure asks for %.0f %% (kuai say %q says it anyway)", f.file, 100*r.Confidence, r.Text, 100*voice.Sure, r.Text)
	}
	return a.instructionText([]string{dialogue.Clean(r.Text)})
}
