package microphone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/robot"
)

// fileSource plays a sound file.
type fileSource struct {
	clock      robot.Clock
	path       string
	loop, fast bool
}

func (s *fileSource) waits() bool { return s.fast }

// piece is how much of a file is read at a time.
const piece = 50 * time.Millisecond

// Play implements Source.
func (s *fileSource) Play(ctx context.Context, hear func(at robot.Time, rate int, samples []float32)) error {
	start := s.clock.Now()
	for {
		end, err := s.once(ctx, start, hear)
		if err != nil {
			return err
		}
		if !s.loop {
			return ErrOver
		}
		start = end
	}
}

// once plays the file from start and gives when it ended.
func (s *fileSource) once(ctx context.Context, start robot.Time, hear func(at robot.Time, rate int, samples []float32)) (robot.Time, error) {
	file, err := audio.Open(s.path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	rate := file.Rate()
	samples := make([]float32, int(piece*time.Duration(rate)/time.Second))
	at, played := start, 0
	for {
		n, err := file.Read(samples)
		// What a microphone would have captured by now comes once it could be heard.
		next := start.Add(time.Duration(float64(played+n) / float64(rate) * float64(time.Second)))
		if !s.fast {
			if err := s.clock.Wait(ctx, next); err != nil {
				return 0, err
			}
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if n > 0 {
			hear(at, rate, samples[:n])
		}
		at, played = next, played+n
		if errors.Is(err, io.EOF) {
			if played == 0 {
				return 0, fmt.Errorf("file %s: %w", s.path, audio.ErrEmpty)
			}
			return at, nil
		}
		if err != nil {
			return 0, err
		}
	}
}
