package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kuai-robot/kuai/fusion/embed"
	"github.com/kuai-robot/kuai/fusion/hear"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/perception/audio"
	"github.com/kuai-robot/kuai/robot"
)

const (
	// textModel reads the names of sounds.
	textModel = "all-minilm-l6-v2"
	// sureSound is how probable a sound must be to be told.
	sureSound = 0.8
	// sameSound is for how long a sound that goes on is told once.
	sameSound = 5 * time.Second
)

// sounds tells what sounds begin around the robot: it moves nothing.
type sounds struct {
	daemon *Daemon
	folder embed.SoundFolders
	tell   []string
	clips  *robot.Mailbox[robot.Clip]
}

// soundEar finds the sounds of one microphone. It belongs to the goroutine that
// captures; nil: nobody wants to know.
type soundEar struct {
	sounds *sounds
	onset  *hear.Onset
	played []float32
}

// buildSounds makes what listens for voice.sounds.
func (v *voice) buildSounds() error {
	if len(v.config.Sounds) == 0 {
		return nil
	}
	s := &sounds{daemon: v.daemon, tell: v.config.Sounds, clips: robot.NewMailbox[robot.Clip]()}
	var err error
	if s.folder.Sound, err = findSpeech(v.config.Model); err != nil {
		return fmt.Errorf("voice.sounds: %w", err)
	}
	if s.folder.Text, err = findSpeech(textModel); err != nil {
		return fmt.Errorf("voice.sounds: %w", err)
	}
	v.sounds = s
	return nil
}

func (v *voice) soundEar() *soundEar {
	if v.sounds == nil {
		return nil
	}
	return &soundEar{sounds: v.sounds, onset: hear.NewOnset(), played: make([]float32, audio.Frame)}
}

// frame takes what a microphone heard.
func (e *soundEar) frame(c *robot.Clip) {
	if e == nil {
		return
	}
	if s := e.sounds.daemon.voice.speaker; s != nil {
		e.played = slices.Grow(e.played[:0], len(c.Samples))[:len(c.Samples)]
		if s.Played(e.played, c.At) {
			e.onset.Reset()
			return
		}
	}
	if clip := e.onset.Add(c.Samples); clip != nil {
		at := c.At.Add(-time.Duration(len(clip)) * time.Second / audio.Rate)
		e.sounds.clips.Put(robot.Clip{Microphone: c.Microphone, At: at, Rate: audio.Rate, Samples: slices.Clone(clip)})
	}
}

// run says what the clips are until ctx ends. Whoever comes while one is listened
// to waits, and only the newest does.
func (s *sounds) run(ctx context.Context) (err error) {
	sound, err := hear.Open(s.folder, cpu.New(cpu.Options{Threads: 1}), embed.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sound.Close()) }()
	listener, err := hear.New(ctx, sound, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, listener.Close()) }()
	var last string
	var lastAt robot.Time
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.clips.Ready():
		}
		c, ok := s.clips.Take()
		if !ok {
			continue
		}
		h, err := listener.Hear(ctx, c.Samples)
		if err != nil {
			return err
		}
		if h.SoundProbability < sureSound || !slices.Contains(s.tell, h.Sound) {
			continue
		}
		if h.Sound != last || c.At.Sub(lastAt) > sameSound {
			s.daemon.event(topics.Event{Kind: topics.EventSound, Reason: fmt.Sprintf("%s, heard by microphone %s (%.2f)", h.Sound, c.Microphone, h.SoundProbability)})
		}
		last, lastAt = h.Sound, c.At
	}
}
