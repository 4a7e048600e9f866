package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/kuai-robot/kuai/internal/jpeg"
	"github.com/kuai-robot/kuai/internal/record"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/perception/camera"
	"github.com/kuai-robot/kuai/perception/encoder/vision"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/world"
)

// spread keeps at most so many of what comes, evenly spread over all of it.
type spread[T any] struct {
	most, stride, seen int
	kept               []T
}

// add may keep x; half of what is kept goes when there is too much.
func (s *spread[T]) add(x T) {
	s.stride = max(s.stride, 1)
	if s.seen%s.stride == 0 {
		s.kept = append(s.kept, x)
	}
	s.seen++
	if len(s.kept) < 2*s.most {
		return
	}
	for i := range s.most {
		s.kept[i] = s.kept[2*i]
	}
	s.kept, s.stride = s.kept[:s.most], 2*s.stride
}

// take gives at most most, spread over what was kept.
func (s *spread[T]) take() []T {
	if len(s.kept) <= s.most {
		return s.kept
	}
	out := make([]T, s.most)
	for i := range out {
		out[i] = s.kept[i*len(s.kept)/s.most]
	}
	return out
}

// frames collects pictures from all sources, about as many from each.
func (a *app) frames(ctx context.Context, sources []string, most int) ([]*robot.Frame, error) {
	var out []*robot.Frame
	for i, source := range sources {
		each := (most - len(out) + len(sources) - i - 1) / (len(sources) - i)
		if each == 0 {
			break
		}
		frames, err := a.framesOf(ctx, source, each)
		if err != nil {
			return nil, err
		}
		out = append(out, frames...)
	}
	return out, nil
}

func (a *app) framesOf(ctx context.Context, source string, most int) ([]*robot.Frame, error) {
	if source == "sim" {
		return simulatedFrames(most)
	}
	if strings.Contains(source, "://") || strings.HasPrefix(source, "usb:") || strings.HasPrefix(source, "file:") {
		return a.cameraFrames(ctx, source, most)
	}
	recordings, err := filesOf(source, ".mcap")
	if err != nil {
		return nil, &exitError{exitInput, err}
	}
	if len(recordings) > 0 {
		return recordedFrames(recordings, most)
	}
	pictures, err := filesOf(source, ".jpg", ".jpeg", ".png", ".gif")
	if err != nil {
		return nil, err
	}
	if len(pictures) == 0 {
		return nil, exitf(exitInput, "%s: neither pictures (.jpg, .png, .gif) nor a recording (.mcap)", source)
	}
	paths := spread[string]{most: most}
	for _, path := range pictures {
		paths.add(path)
	}
	var out []*robot.Frame
	for _, path := range paths.take() {
		frame, err := readPicture(path)
		if err != nil {
			return nil, exitf(exitInput, "%s: %w", path, err)
		}
		out = append(out, frame)
	}
	return out, nil
}

// filesOf is the file at path, or those of the folder there, that end in one of
// the endings; in the order of their names.
func filesOf(path string, endings ...string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	names := []string{path}
	if info.IsDir() {
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, err
		}
		names = names[:0]
		for _, e := range entries {
			names = append(names, filepath.Join(path, e.Name()))
		}
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return !slices.Contains(endings, strings.ToLower(filepath.Ext(name)))
	}), nil
}

func readPicture(path string) (*robot.Frame, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	frame, err := vision.Decode(file)
	return frame, errors.Join(err, file.Close())
}

// recordedFrames takes pictures from all over the recordings.
func recordedFrames(paths []string, most int) ([]*robot.Frame, error) {
	files := spread[[]byte]{most: most}
	for _, path := range paths {
		_, err := record.Read(path, func(r *record.Record) error {
			if r.Schema != "foxglove.CompressedImage" {
				return nil
			}
			_, format, file, err := r.Image()
			if err == nil && format == "jpeg" {
				files.add(slices.Clone(file))
			}
			return err
		})
		if err != nil {
			return nil, exitf(exitInput, "%s: %w", path, err)
		}
	}
	var out []*robot.Frame
	for _, file := range files.take() {
		width, height, pixels, err := jpeg.Decode(file)
		if err != nil {
			return nil, exitf(exitInput, "%s: %w", paths[0], err)
		}
		out = append(out, &robot.Frame{Width: width, Height: height, Pixels: pixels})
	}
	if len(out) == 0 {
		return nil, exitf(exitInput, "%s: a recording without pictures", paths[0])
	}
	return out, nil
}

// betweenFrames lies between two pictures of a camera: they should differ.
const betweenFrames = 250 * time.Millisecond

// cameraFrames looks through a camera until there are enough pictures.
// cameraPatience is how long a camera may send nothing before nobody waits for it.
const cameraPatience = 10 * time.Second

func (a *app) cameraFrames(ctx context.Context, url string, most int) ([]*robot.Frame, error) {
	frames := robot.NewMailbox[robot.Frame]()
	c, err := camera.New(camera.Config{Name: url, URL: url}, a.clock, frames.Put, func(r camera.Report) {
		if r.Err != nil {
			fmt.Fprintln(a.errors, r.Err)
		}
	})
	if err != nil {
		return nil, &exitError{exitInput, err}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	over := make(chan error, 1)
	go func() { over <- c.Run(ctx) }()
	var newest atomic.Int64
	newest.Store(int64(a.clock.Now()))
	go func() { // until ctx ends
		for from := newest.Load(); a.clock.Wait(ctx, robot.Time(from).Add(cameraPatience)) == nil; {
			if now := newest.Load(); now == from {
				cancel(exitf(exitFailed, "camera %s: no picture for %s (is it on? see kuai doctor)", url, cameraPatience))
			} else {
				from = now
			}
		}
	}()
	var out []*robot.Frame
	for len(out) < most {
		select {
		case err := <-over: // a recording is over, somebody interrupts, or patience is
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return out, err
		case <-frames.Ready():
		}
		frame, ok := frames.Take()
		if !ok {
			continue
		}
		newest.Store(int64(a.clock.Now()))
		if len(out) == 0 || frame.At-out[len(out)-1].At >= robot.Time(betweenFrames) {
			out = append(out, &frame)
		}
	}
	cancel(nil)
	<-over
	return out, nil
}

// Pictures of the simulator's cameras.
const simulatedWidth, simulatedHeight = 320, 240

// simulatedFrames looks at one scene after the other through each camera.
func simulatedFrames(most int) ([]*robot.Frame, error) {
	w, err := world.New(world.Options{Workbench: true})
	if err != nil {
		return nil, err
	}
	var out []*robot.Frame
	for seed := uint64(1); len(out) < most && err == nil; seed++ {
		if err = w.Reset(seed, world.Spec{Vary: world.Training()}); err != nil {
			break
		}
		for _, name := range world.Cameras() {
			f := &robot.Frame{Camera: name, Width: simulatedWidth, Height: simulatedHeight, Pixels: make([]byte, 3*simulatedWidth*simulatedHeight)}
			if err = w.Render(name, f.Width, f.Height, f.Pixels); err != nil {
				break
			}
			out = append(out, f)
		}
	}
	return out[:min(len(out), most)], errors.Join(err, w.Close())
}

// clipsOf reads sound files.
func clipsOf(sources []string, most int) ([][]float32, error) {
	paths := spread[string]{most: most}
	for _, source := range sources {
		files, err := filesOf(source, ".wav", ".raw", ".pcm", ".mp3", ".ogg", ".flac")
		if err != nil {
			return nil, &exitError{exitInput, err}
		}
		if len(files) == 0 {
			return nil, exitf(exitInput, "%s: no sound (.wav, .mp3, .ogg, .flac, .raw, .pcm)", source)
		}
		for _, path := range files {
			paths.add(path)
		}
	}
	var out [][]float32
	for _, path := range paths.take() {
		clip, err := readSound(path, audio.Rate)
		if err != nil {
			return nil, err
		}
		out = append(out, audio.Resample(clip.Samples, clip.Rate, audio.Rate))
	}
	return out, nil
}

// linesOf reads the lines of text files that are not empty.
func linesOf(sources []string, most int) ([]string, error) {
	lines := spread[string]{most: most}
	for _, source := range sources {
		data, err := os.ReadFile(source)
		if err != nil {
			return nil, &exitError{exitInput, err}
		}
		for line := range strings.Lines(string(data)) {
			if line = strings.TrimSpace(line); line != "" {
				lines.add(line)
			}
		}
	}
	return lines.take(), nil
}
