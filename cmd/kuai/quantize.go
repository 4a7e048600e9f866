package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/internal/quantize"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
)

// quantizeFlags are what the user asked for.
type quantizeFlags struct {
	model, out, activations string
	keep                    []string
	least                   float64
	samples, threads        int
}

func (a *app) quantizeCommand() *cobra.Command {
	var f quantizeFlags
	c := &cobra.Command{
		Use:   "quantize --model FOLDER --out FOLDER SOURCE...",
		Short: "Make a model's int8 checkpoint, calibrated on what it will see, and say what that costs",
		Long: "Runs the model on samples, writes its matrices as bytes with a scale for each output, and with the\n" +
			"ranges of what they are multiplied with where fixed ranges lose least. A fourth of the samples is\n" +
			"held out: on them the output is compared with that of f32. The new folder is used like the old one.\n" +
			"A SOURCE for CLIP and SigLIP is a folder of pictures, a picture, a recording, the URL of a camera\n" +
			"(rtsp://, usb:, file:) or sim for the simulator's cameras; for Whisper a sound file or a folder of\n" +
			"them; for a language or sentence model a text file, of which each line is a sample; for a policy that sees\n" +
			"the folder of a LeRobot dataset (kuai demos --out).",
		Example: "  kuai quantize --model clip-vit-base-patch32 --out clip-int8 pictures/\n" +
			"  kuai quantize --model clip-vit-base-patch32 --out clip-int8 sim\n" +
			"  kuai quantize --model whisper-base --out whisper-int8 --least 0.999 sounds/\n" +
			"  kuai quantize --model policy/learned/weights --out policy-int8 blocks",
		RunE: func(c *cobra.Command, sources []string) error { return a.quantize(c.Context(), &f, sources) },
	}
	flags := c.Flags()
	flags.StringVar(&f.model, "model", "", "the `FOLDER` of the model, in f32, f16 or bf16, or its name (see kuai models list)")
	flags.StringVar(&f.out, "out", "", "the `FOLDER` to make")
	flags.StringVar(&f.activations, "activations", "auto", "auto (what loses least), calibrated or dynamic")
	flags.Float64Var(&f.least, "least", 0, "the `COSINE` that every held-out sample must keep: the products that lose most stay as they are until it does")
	flags.StringSliceVar(&f.keep, "keep", nil, "a `TENSOR` that stays as it is; may be repeated")
	flags.IntVar(&f.samples, "samples", 64, "the most `SAMPLES` to take from all sources")
	flags.IntVar(&f.threads, "threads", 0, "`THREADS`; 0: as many as the process may use")
	return c
}

func (a *app) quantize(ctx context.Context, f *quantizeFlags, sources []string) error {
	switch {
	case f.model == "" || f.out == "" || len(sources) == 0:
		return exitf(exitInput, "want --model FOLDER, --out FOLDER and a source of samples (see kuai quantize --help)")
	case f.samples < 2:
		return exitf(exitInput, "--samples %d: want at least 2", f.samples)
	case f.threads < 0:
		return exitf(exitInput, "--threads %d: want 0 or more", f.threads)
	}
	dir, err := modelFolder(f.model)
	if err != nil {
		return err
	}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return exitf(exitInput, "%s: not a folder (a GGUF file is quantised already)", dir)
	}
	kind, err := kindOfModel(dir)
	if err != nil {
		return &exitError{exitInput, err}
	}
	backend := cpu.New(cpu.Options{Threads: f.threads})
	open, samples, err := a.quantizable(ctx, kind, backend, sources, f.samples)
	if err != nil {
		return err
	}
	report, err := quantize.Run(ctx, quantize.Job{
		Dir: dir, Out: f.out, Open: open, Samples: samples, Activations: quantize.Activations(f.activations),
		Least: f.least, Keep: f.keep, Now: func() time.Time { return time.Unix(0, int64(a.clock.Now())) },
	})
	if errors.Is(err, quantize.ErrSamples) {
		return exitf(exitInput, "%s: %w", strings.Join(sources, " "), err)
	}
	if err != nil {
		return err
	}
	return a.printQuantized(f, report)
}

// kindOfModel reads what a folder holds: "clip", "siglip", "whisper", or another
// model_type of config.json.
func kindOfModel(dir string) (string, error) {
	if _, err := os.Stat(filepath.Join(dir, "model.bin")); err == nil {
		return "whisper", nil // of CTranslate2, whose config.json does not say
	}
	data, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		return "", fmt.Errorf("model: %w", err)
	}
	var c struct {
		Type string `json:"model_type"`
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return "", fmt.Errorf("%s: config.json: %w", dir, err)
	}
	if c.Type == "" {
		if _, err := os.Stat(filepath.Join(dir, "vocabulary.json")); err == nil {
			return "whisper", nil
		}
		return "", fmt.Errorf("%s: config.json: model_type: none, kuai quantises the models that it runs", dir)
	}
	return strings.TrimSuffix(c.Type, "_vision_model"), nil
}

// opener compiles the model of a folder for samples that it knows.
type opener func(dir string, o kernels.Options) (quantize.Runner, error)

func (a *app) printQuantized(f *quantizeFlags, r *quantize.Report) error {
	ms := func(d time.Duration) float64 { return float64(d) / 1e6 }
	ratio := ms(r.Before) / max(ms(r.After), 1e-6)
	if a.json {
		return a.printJSON(map[string]any{
			"out": f.out, "seen": r.Seen, "held_out": r.HeldOut, "trials": r.Trials, "chosen": r.Chosen, "loss": r.Loss,
			"quantised": len(r.Quantised), "kept": r.Kept, "layers": r.Layers, "bytes_before": r.BytesBefore, "bytes_after": r.BytesAfter,
			"ms_before": ms(r.Before), "ms_after": ms(r.After), "speed": ratio,
		})
	}
	a.out.line("%s  %d matrices in int8, %d as they were; %d samples seen, %d held out", a.out.bold(f.out), len(r.Quantised), len(r.Kept), r.Seen, r.HeldOut)
	for _, t := range r.Trials {
		name := string(t.Activations)
		if t.Part > 0 {
			name = fmt.Sprintf("%s, %.5g %% in range", name, 100*t.Part)
		}
		mark := "  "
		if t.Activations == r.Chosen.Activations && t.Part == r.Chosen.Part {
			mark = "→ "
		}
		a.out.line("  %s%-32s cosine at least %.5f, mean %.5f", mark, name, t.Least, t.Mean)
	}
	a.out.line("  loss   cosine at least %.5f, mean %.5f", r.Loss.Least, r.Loss.Mean)
	if len(r.Layers) > 0 {
		a.out.line("  worst  %s, %.2f %% off by itself", r.Layers[0].Name, 100*r.Layers[0].Error)
	}
	for _, name := range r.Kept {
		a.out.line("  kept   %s", name)
	}
	a.out.line("  size   %.1f → %.1f MB", float64(r.BytesBefore)/1e6, float64(r.BytesAfter)/1e6)
	a.out.line("  speed  %.1f → %.1f ms a sample: %.2f times f32", ms(r.Before), ms(r.After), ratio)
	return nil
}
