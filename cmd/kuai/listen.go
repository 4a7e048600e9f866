package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/kuai-robot/kuai/fusion/listen"
	"github.com/kuai-robot/kuai/fusion/speech"
	"github.com/kuai-robot/kuai/perception/microphone"
	"github.com/kuai-robot/kuai/policy/dialogue"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
)

// listenFlags are what the user asked for.
type listenFlags struct {
	computeFlags
	device, model, language string
	devices, fast, any      bool
}

func (a *app) listenCommand() *cobra.Command {
	var f listenFlags
	c := &cobra.Command{
		Use:   "listen [FILE|URL]",
		Short: "Write down what is said, as it is said",
		Long: "Listens to this machine's microphone, to a sound file, or to an rtsp:// microphone, and prints each\n" +
			"sentence with its confidence, and how long after the last word (and after the silence that showed it\n" +
			"to be the last) the text was there. Nothing moves: kuai run listens to command the robot.\n\n" +
			"The recogniser expects the words of the built-in tabletop; with --any it expects nothing.",
		Example: "  kuai listen\n  kuai listen --devices\n  kuai listen --device usb --json\n  kuai listen --fast talk.wav",
		RunE: func(c *cobra.Command, args []string) error {
			if f.devices {
				return a.listDevices()
			}
			if len(args) > 1 {
				return exitf(exitInput, "one FILE or URL at a time, got %d", len(args))
			}
			return a.listen(c.Context(), &f, args)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.device, "device", "default", "a part of a microphone's `NAME`")
	flags.BoolVar(&f.devices, "devices", false, "list the microphones of this machine")
	flags.BoolVar(&f.fast, "fast", false, "read a file as fast as it can be heard, not at its own pace")
	flags.BoolVar(&f.any, "any", false, "expect any words, not those of the tabletop")
	flags.StringVar(&f.model, "model", "whisper-base", "`NAME` of a model (see kuai models list), or a folder")
	flags.StringVar(&f.language, "language", "en", "what is spoken: en, zh, de, …; \"\": the model listens for it")
	f.add(c)
	return c
}

func (a *app) listDevices() error {
	devices, err := microphone.Devices()
	if err != nil {
		return err
	}
	if len(devices) == 0 && !a.json {
		a.out.line("this machine has a sound system and no microphone")
	}
	for _, d := range devices {
		if a.json {
			if err := a.printJSON(d); err != nil {
				return err
			}
			continue
		}
		note := ""
		if d.Default {
			note = a.out.dim("  (default)")
		}
		a.out.line("%s%s", d.Name, note)
	}
	return nil
}

// microphoneURL gives what a user named: a URL as it is, or a file.
func (f *listenFlags) microphoneURL(args []string) (string, error) {
	if len(args) == 0 {
		return "device:" + f.device, nil
	}
	if strings.Contains(args[0], "://") {
		return args[0], nil
	}
	if _, err := os.Stat(args[0]); err != nil {
		return "", &exitError{exitInput, err}
	}
	return "file:" + args[0], nil
}

func (a *app) listen(ctx context.Context, f *listenFlags, args []string) (err error) {
	url, err := f.microphoneURL(args)
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
	ears, err := listen.Open(dir, backend, f.earOptions(options))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ears.Close()) }()
	if !f.any {
		ears.Expect(dialogue.Sayings(skill.Tabletop(), nil), speech.DefaultStrength)
	}
	if err := ears.Load(ctx); err != nil {
		return err
	}
	return a.listenTo(ctx, ears, f, url)
}

func (a *app) listenTo(ctx context.Context, ears *listen.Ears, f *listenFlags, url string) error {
	voice, err := ears.Voice()
	if err != nil {
		return err
	}
	l, err := listen.New(listen.Config{
		Voice: voice, Recogniser: ears, Clock: a.clock, Language: f.language, Patient: f.fast, Partial: partialEvery,
		Heard: a.printUtterance, Talking: a.printTalking,
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	m, err := microphone.New(microphone.Config{Name: "microphone", URL: url, Fast: f.fast}, a.clock,
		func(c robot.Clip) {
			if err := l.Hear(ctx, c); err != nil {
				cancel(err)
			}
		},
		func(r microphone.Report) {
			switch {
			case r.Err != nil && strings.HasPrefix(url, "file:"):
				cancel(&exitError{exitInput, r.Err})
			case r.Err != nil:
				a.errors.line("%s", a.errors.yellow(r.Err.Error()))
				_ = l.Lost(ctx)
			case r.State == microphone.Live && !a.json:
				a.errors.line("%s", a.errors.dim("listening (Ctrl-C ends it)"))
			}
		})
	if err != nil {
		return &exitError{exitInput, err}
	}
	group, running := errgroup.WithContext(ctx)
	if !f.fast {
		group.Go(func() error { return l.Run(running) })
	}
	group.Go(func() error {
		if err := m.Run(running); err != nil {
			return err
		}
		// A file is over, and so is what was being said.
		if err := l.Finish(running); err != nil {
			return err
		}
		if !f.fast {
			if err := l.Settle(running); err != nil {
				return err
			}
		}
		cancel(errOver)
		return nil
	})
	err = group.Wait()
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errOver):
		return nil
	case cause != nil:
		return cause
	}
	return err
}

// errOver ends the listener of a file that is over.
var errOver = errors.New("the file is over")

// partialEvery is how much must be said before it is printed anew.
const partialEvery = 600 * time.Millisecond

// heard is what is printed of one utterance.
type heard struct {
	Text       string  `json:"text"`
	Language   string  `json:"language,omitempty"`
	Confidence float64 `json:"confidence"`
	NoSpeech   float64 `json:"no_speech"`
	Problem    string  `json:"problem,omitempty"`
	Partial    bool    `json:"partial,omitempty"`
	// At and Until are seconds since kuai listen began.
	At    float64 `json:"at"`
	Until float64 `json:"until"`
	// MS is from the last word to the text, DecidedMS from the end of the silence
	// that showed it to be the last.
	MS        float64 `json:"ms"`
	DecidedMS float64 `json:"decided_ms"`
	Clipped   float64 `json:"clipped,omitempty"`
}

func ms(d time.Duration) float64 { return d.Seconds() * 1e3 }

func (a *app) printUtterance(u listen.Utterance) {
	h := heard{
		Text: u.Text, Language: u.Language, Confidence: u.Confidence, NoSpeech: u.NoSpeech, Problem: string(u.Problem),
		At: u.At.Seconds(), Until: u.Until.Seconds(), MS: ms(u.Ready.Sub(u.Until)), DecidedMS: ms(u.Ready.Sub(u.Decided)), Clipped: u.Clipped,
	}
	if a.json {
		_ = a.printJSON(h) // a closed pipe ends the program by its signal
		return
	}
	a.out.clearLine()
	if u.Err != nil {
		a.errors.line("%s", a.errors.red(u.Err.Error()))
		return
	}
	if u.Problem != "" {
		a.out.line("%s", a.out.dim(fmt.Sprintf("not understood: %s  %s", u.Problem, u.Text)))
		return
	}
	notes := fmt.Sprintf("%.0f %% sure, %.0f ms after the last word, %.0f ms after its silence", 100*u.Confidence, h.MS, h.DecidedMS)
	if u.Clipped > 0.01 {
		notes += fmt.Sprintf(", %.0f %% clipped (lower the microphone's gain)", 100*u.Clipped)
	}
	a.out.line("%s  %s", a.out.bold(u.Text), a.out.dim(notes))
}

func (a *app) printTalking(u listen.Utterance) {
	switch {
	case a.json && u.Text != "":
		_ = a.printJSON(heard{Text: u.Text, Language: u.Language, Confidence: u.Confidence, NoSpeech: u.NoSpeech, Partial: true,
			At: u.At.Seconds(), Until: u.Until.Seconds(), MS: ms(u.Ready.Sub(u.Until))})
	case !a.json && a.out.width > 0:
		a.out.move(a.out.dim("… " + u.Text))
	}
}
