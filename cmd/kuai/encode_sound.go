package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/kuai-robot/kuai/fusion/embed"
	"github.com/kuai-robot/kuai/perception/audio"
)

// isSound says whether an argument is a sound file, by its ending.
func isSound(arg string) bool {
	switch strings.ToLower(filepath.Ext(arg)) {
	case ".wav", ".wave", ".raw", ".pcm", ".s16":
		return true
	}
	return false
}

// encoderFolder finds an encoder that a sound head names: beside the head where
// the name begins with "./", by name otherwise.
func encoderFolder(head, name string) (string, error) {
	if strings.HasPrefix(name, "./") {
		return filepath.Join(head, name), nil
	}
	return modelFolder(name)
}

// encodeSounds prints how well each text fits each sound.
func (a *app) encodeSounds(ctx context.Context, f *encodeFlags, args []string) error {
	var sounds, texts []string
	for _, arg := range args {
		if isSound(arg) {
			sounds = append(sounds, arg)
			continue
		}
		texts = append(texts, arg)
	}
	if f.dir != "" || f.camera != "" || len(sounds) == 0 || len(texts) == 0 {
		return exitf(exitInput, "--audio-head wants at least one sound file and one text, and neither --model nor --camera (see kuai encode --help)")
	}
	backend, options, err := f.resolve(a)
	if err != nil {
		return err
	}
	config, err := embed.ReadSoundConfig(f.head)
	if err != nil {
		return err
	}
	var folders embed.SoundFolders
	if folders.Sound, err = encoderFolder(f.head, config.SoundEncoder); err != nil {
		return fmt.Errorf("sound_encoder of %s: %w", f.head, err)
	}
	if folders.Text, err = encoderFolder(f.head, config.TextEncoder); err != nil {
		return fmt.Errorf("text_encoder of %s: %w", f.head, err)
	}
	sound, err := embed.OpenSound(f.head, folders, backend, f.embedOptions(options))
	if err != nil {
		return err
	}
	s, err := sound.NewSession(ctx, texts)
	if err != nil {
		return errors.Join(err, sound.Close())
	}
	for _, path := range sounds {
		if err = a.matchSound(ctx, s, path); err != nil {
			break
		}
	}
	return errors.Join(err, s.Close(), sound.Close())
}

// matchSound prints how well each text fits one sound file.
func (a *app) matchSound(ctx context.Context, s *embed.SoundSession, path string) error {
	clip, err := readSound(path, audio.Rate)
	if err != nil {
		return err
	}
	samples := audio.Resample(clip.Samples, clip.Rate, audio.Rate)
	start := a.clock.Now()
	matches, err := s.Match(ctx, samples)
	if err != nil {
		return exitf(exitInput, "%s: %w", path, err)
	}
	ms := 1e3 * a.clock.Now().Sub(start).Seconds()
	return a.printMatches("sound", path, fmt.Sprintf("%.2f s", float64(len(samples))/audio.Rate), matches, ms)
}

// printMatches prints how well each text fits what is called name, which is a
// picture or a sound.
func (a *app) printMatches(kind, name, size string, matches []embed.Match, ms float64) error {
	if !a.json {
		a.out.line("%s  %s", a.out.bold(name), a.out.dim(fmt.Sprintf("%s, %.1f ms", size, ms)))
	}
	for _, m := range matches {
		if !a.json {
			a.out.line("  %7.4f  %5.1f %%  %s", m.Cosine, 100*m.Probability, m.Text)
			continue
		}
		if err := a.printJSON(map[string]any{kind: name, "text": m.Text, "cosine": m.Cosine, "probability": m.Probability, "ms": ms}); err != nil {
			return err
		}
	}
	return nil
}
