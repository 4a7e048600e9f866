package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/fusion/embed"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
	"github.com/kuai-robot/kuai/kernels/ref"
	"github.com/kuai-robot/kuai/perception/camera"
	"github.com/kuai-robot/kuai/robot"
)

// computeFlags say how a model computes.
type computeFlags struct {
	backend, precision string
	threads            int
}

func (f *computeFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.backend, "backend", "cpu", "cpu, cuda (a GPU; the processor where there is none), or ref (plain and slow)")
	flags.StringVar(&f.precision, "precision", "stored", "stored (as the weights are), f32, bf16 or int8")
	flags.IntVar(&f.threads, "threads", 0, "`THREADS` of the processor; 0: as many as the process may use")
}

// resolve gives the backend and the options that the flags ask for.
func (f *computeFlags) resolve(a *app) (kernels.Backend, kernels.Options, error) {
	precisions := map[string]kernels.Precision{
		"stored": kernels.Stored, "f32": kernels.Float32, "bf16": kernels.BFloat16, "int8": kernels.Int8,
	}
	precision, ok := precisions[f.precision]
	switch {
	case !ok:
		return nil, kernels.Options{}, exitf(exitInput, "--precision %q: want stored, f32, bf16 or int8", f.precision)
	case f.threads < 0:
		return nil, kernels.Options{}, exitf(exitInput, "--threads %d: want 0 or more", f.threads)
	case f.backend == "ref":
		return ref.New(), kernels.Options{Precision: precision}, nil
	case f.backend == "cpu":
		return cpu.New(cpu.Options{Threads: f.threads}), kernels.Options{Precision: precision}, nil
	case f.backend == "cuda":
		return a.onGPU(cpu.New(cpu.Options{Threads: f.threads})), kernels.Options{Precision: precision}, nil
	}
	return nil, kernels.Options{}, exitf(exitInput, "--backend %q: want cpu, cuda or ref", f.backend)
}

// cameraPixels is the largest picture that a GPU resizes: more than cameras give.
const cameraPixels = 1 << 22

// embedOptions lets a GPU resize pictures and compute spectrograms.
func (f *computeFlags) embedOptions(o kernels.Options) embed.Options {
	out := embed.Options{Compile: o, Sound: f.onCard()}
	if f.onCard() {
		out.Camera = cameraPixels
	}
	return out
}

// encodeFlags are what the user asked for.
type encodeFlags struct {
	computeFlags
	dir, camera, head string
}

func (a *app) encodeCommand() *cobra.Command {
	var f encodeFlags
	c := &cobra.Command{
		Use:   "encode PICTURE... TEXT...",
		Short: "Say how well pictures and texts fit each other",
		Long: "Embeds pictures and texts with CLIP or SigLIP and prints the similarity of each pair. An argument\n" +
			"that ends in .jpg, .jpeg, .png or .gif is a picture, any other a text. With --camera it does so for\n" +
			"the newest picture of a camera, again and again, until it is interrupted or the recording is over.\n" +
			"The model is a folder in the layout of Hugging Face: config.json, preprocessor_config.json,\n" +
			"safetensors and the tokenizer, or auto, the small one that kuai comes with (see kuai query). With\n" +
			"--audio-head it compares sound files (.wav, and .raw of 16-bit samples at 16 kHz) with the texts: the\n" +
			"folder is a sound head, which docs/models.md describes.",
		Example: "  kuai encode --model clip-vit-base-patch32 image.jpg \"a red block\" \"a bowl\"\n" +
			"  kuai encode --model siglip --camera rtsp://127.0.0.1:8554/front --json \"a hand\"\n" +
			"  kuai encode --audio-head head clip.wav \"go forward\" \"stop\"",
		RunE: func(c *cobra.Command, args []string) error { return a.encode(c.Context(), &f, args) },
	}
	c.Flags().StringVar(&f.dir, "model", "", "the `FOLDER` of the model, or auto")
	c.Flags().StringVar(&f.camera, "camera", "", "look through the camera at `URL`: rtsp://host:port/path, usb:0 or file:path")
	c.Flags().StringVar(&f.head, "audio-head", "", "compare sounds instead, with the sound head in `FOLDER`")
	f.add(c)
	return c
}

// sortArguments tells pictures from texts.
func sortArguments(args []string) (pictures, texts []string) {
	for _, arg := range args {
		lower := strings.ToLower(arg)
		picture := false
		for _, ending := range []string{".jpg", ".jpeg", ".png", ".gif"} {
			picture = picture || strings.HasSuffix(lower, ending)
		}
		if picture {
			pictures = append(pictures, arg)
			continue
		}
		texts = append(texts, arg)
	}
	return pictures, texts
}

func (a *app) encode(ctx context.Context, f *encodeFlags, args []string) error {
	if f.head != "" {
		return a.encodeSounds(ctx, f, args)
	}
	pictures, texts := sortArguments(args)
	if f.dir == "" || len(pictures) == 0 && f.camera == "" || len(texts) == 0 {
		return exitf(exitInput, "want --model FOLDER, at least one picture or a --camera, and one text (see kuai encode --help)")
	}
	pair, err := a.openPair(f.dir, &f.computeFlags)
	if err != nil {
		return err
	}
	s, err := pair.NewSession(ctx, texts)
	if err != nil {
		return errors.Join(err, pair.Close())
	}
	for _, path := range pictures {
		if err = a.matchPicture(ctx, s, path); err != nil {
			break
		}
	}
	if err == nil && f.camera != "" {
		err = a.matchCamera(ctx, s, f.camera)
	}
	return errors.Join(err, s.Close(), pair.Close())
}

// matchPicture prints how well each text fits one picture.
func (a *app) matchPicture(ctx context.Context, s *embed.PairSession, path string) error {
	frame, err := openPicture(path)
	if err != nil {
		return err
	}
	return a.match(ctx, s, path, frame)
}

// matchCamera prints how well each text fits the newest picture of a camera,
// until ctx ends or the recording is over.
func (a *app) matchCamera(ctx context.Context, s *embed.PairSession, url string) error {
	frames := robot.NewMailbox[robot.Frame]()
	c, err := camera.New(camera.Config{Name: url, URL: url}, a.clock, frames.Put, func(r camera.Report) {
		if r.Err != nil {
			fmt.Fprintln(a.errors, r.Err)
		}
	})
	if err != nil {
		return &exitError{exitInput, err}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	over := make(chan error, 1)
	go func() { over <- c.Run(ctx) }()
	for {
		select {
		case err := <-over:
			// The last picture may have come with the end.
			if frame, ok := frames.Take(); ok && err == nil {
				return a.match(ctx, s, url, &frame)
			}
			return err
		case <-frames.Ready():
		}
		frame, ok := frames.Take()
		if !ok {
			continue
		}
		if err := a.match(ctx, s, url, &frame); err != nil {
			cancel()
			<-over
			return err
		}
	}
}

// match prints how well each text fits one picture, which is called name.
func (a *app) match(ctx context.Context, s *embed.PairSession, name string, frame *robot.Frame) error {
	start := a.clock.Now()
	matches, err := s.Match(ctx, frame)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	ms := 1e3 * a.clock.Now().Sub(start).Seconds()
	return a.printMatches("picture", name, fmt.Sprintf("%d×%d", frame.Width, frame.Height), matches, ms)
}
