package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/robot"
)

// soundFile is a sound file that is read piece by piece, by its ending.
type soundFile struct {
	rate  int
	read  func(dst []float32) (int, error)
	close func() error
}

// openSound opens a file that audio.Open reads, or a raw one of 16-bit samples at
// rate.
func openSound(path string, rate int) (*soundFile, error) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".raw", ".pcm", ".s16":
		file, err := os.Open(path)
		if err != nil {
			return nil, &exitError{exitInput, err}
		}
		clip, err := audio.ReadRaw(file, rate)
		if err := errors.Join(err, file.Close()); err != nil {
			return nil, exitf(exitInput, "%s: %w", path, err)
		}
		rest := clip.Samples
		return &soundFile{rate: rate, close: func() error { return nil }, read: func(dst []float32) (int, error) {
			n := copy(dst, rest)
			if rest = rest[n:]; len(rest) == 0 {
				return n, io.EOF
			}
			return n, nil
		}}, nil
	}
	file, err := audio.Open(path)
	if err != nil {
		return nil, &exitError{exitInput, err}
	}
	return &soundFile{rate: file.Rate(), read: file.Read, close: file.Close}, nil
}

// readSound reads a file whole.
func readSound(path string, rate int) (*robot.Clip, error) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".raw", ".pcm", ".s16":
		file, err := os.Open(path)
		if err != nil {
			return nil, &exitError{exitInput, err}
		}
		clip, err := audio.ReadRaw(file, rate)
		if err := errors.Join(err, file.Close()); err != nil {
			return nil, exitf(exitInput, "%s: %w", path, err)
		}
		return clip, nil
	}
	file, err := audio.Open(path)
	if err != nil {
		return nil, &exitError{exitInput, err}
	}
	clip, err := file.ReadAll()
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, &exitError{exitInput, err}
	}
	return clip, nil
}

const (
	// hearAtOnce is how much of a long file is heard at a time, cutWithin how far
	// from its end it is cut, where it is quietest.
	hearAtOnce = 120 * audio.Rate
	cutWithin  = 20 * audio.Rate
)

// transcribeSound hears a file of any length; memory is that of two minutes. It
// gives how many samples at audio.Rate there were.
func transcribeSound(ctx context.Context, s *speech.Session, file *soundFile, language string) (all speech.Result, samples int, err error) {
	r, err := audio.NewResampler(file.rate, audio.Rate)
	if err != nil {
		return all, 0, err
	}
	defer r.Close()
	buffer := make([]float32, file.rate)
	var pending []float32
	heard := false
	hear := func(part []float32) error {
		result, err := s.Transcribe(ctx, part, language)
		if err != nil {
			return err
		}
		if heard {
			all.Join(&result)
		} else {
			all, heard = result, true
		}
		samples += len(part)
		return nil
	}
	for {
		n, err := file.read(buffer)
		pending = append(pending, r.Add(buffer[:n])...)
		if errors.Is(err, io.EOF) {
			pending = append(pending, r.Rest()...)
			return all, samples, hear(pending)
		}
		if err != nil {
			return all, samples, err
		}
		if len(pending) >= hearAtOnce {
			at := quietest(pending, len(pending)-cutWithin)
			if err := hear(pending[:at]); err != nil {
				return all, samples, err
			}
			pending = pending[:copy(pending, pending[at:])]
		}
	}
}

// quietest gives the middle of the quietest tenth of a second from from on.
func quietest(samples []float32, from int) int {
	const step = audio.Rate / 10
	at, least := from, -1.0
	for i := from; i+step <= len(samples); i += step {
		if level := audio.Level(samples[i : i+step]); least < 0 || level < least {
			at, least = i+step/2, level
		}
	}
	return at
}
