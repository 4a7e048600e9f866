package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/fusion/embed"
	"github.com/kuai-robot/kuai/internal/daemon"
	"github.com/kuai-robot/kuai/perception/encoder/vision"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/eval"
	"github.com/kuai-robot/kuai/sim/scenes"
)

// queryFlags are what the user asked for.
type queryFlags struct {
	computeFlags
	dir, image string
	measure    int
	seed       uint64
	renderer   string
}

func (a *app) queryCommand() *cobra.Command {
	var f queryFlags
	c := &cobra.Command{
		Use:   "query QUESTION...",
		Short: "Ask a picture a question that yes or no answers",
		Long: "Makes of each question a sentence that affirms it and one that denies it, and says with CLIP which fits the\n" +
			"picture better. The towers that kuai comes with know the workbench of the simulator: blocks, cylinders and bowls\n" +
			"by colour, what is in or on what, left and right of what, what the gripper holds, the drawer and the button; a\n" +
			"folder in CLIP's layout (--model) knows what it was trained for. --measure asks about pictures that the simulator\n" +
			"draws, of combinations that the training of those towers never had.",
		Example: "  kuai query --image front.png \"is there a red block in a bowl?\" \"is the drawer open?\"\n  kuai query --measure 600",
		RunE: func(c *cobra.Command, questions []string) error {
			if f.measure > 0 && len(questions) == 0 && f.image == "" {
				return a.measureQuery(c.Context(), &f)
			}
			if f.measure != 0 || len(questions) == 0 || f.image == "" {
				return exitf(exitInput, "give --image FILE and a question, or --measure PICTURES (see kuai query --help)")
			}
			return a.query(c.Context(), &f, questions)
		},
	}
	c.Flags().StringVar(&f.dir, "model", embed.Own, "the `FOLDER` of the model, or auto: the one that kuai comes with")
	c.Flags().StringVar(&f.image, "image", "", "the picture in `FILE`: JPEG, PNG or GIF")
	c.Flags().IntVar(&f.measure, "measure", 0, "instead, ask about so many `PICTURES` of the simulator and count the right answers")
	c.Flags().Uint64Var(&f.seed, "seed", 3_000_000, "with --measure: that of the first picture")
	c.Flags().StringVar(&f.renderer, "renderer", "", "with --measure: osmesa (the CPU) or egl (a GPU); empty: the GPU where there is one")
	f.add(c)
	return c
}

// openPair opens the towers of a folder, or those that kuai comes with.
func (a *app) openPair(dir string, f *computeFlags) (*embed.Pair, error) {
	backend, options, err := f.resolve(a)
	if err != nil {
		return nil, err
	}
	if dir == embed.Own {
		return embed.OpenOwn(backend, f.embedOptions(options))
	}
	return embed.OpenPair(dir, backend, f.embedOptions(options))
}

// query prints the answers about one picture.
func (a *app) query(ctx context.Context, f *queryFlags, questions []string) (err error) {
	for _, q := range questions {
		if _, _, err := embed.Contrast(q); err != nil {
			return &exitError{exitInput, err}
		}
	}
	frame, err := openPicture(f.image)
	if err != nil {
		return err
	}
	pair, err := a.openPair(f.dir, &f.computeFlags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pair.Close()) }()
	quiz, err := pair.NewQuiz(ctx, questions)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, quiz.Close()) }()
	answers, err := quiz.Answer(ctx, frame)
	if err != nil {
		return fmt.Errorf("%s: %w", f.image, err)
	}
	for _, q := range answers {
		if a.json {
			if err := a.printJSON(q); err != nil {
				return err
			}
			continue
		}
		word := "no"
		if q.Yes > 0.5 {
			word = "yes"
		}
		a.out.line("%-3s  %5.1f %%  %s", word, 100*q.Yes, q.Question)
	}
	return nil
}

// openPicture reads the picture of a file.
func openPicture(path string) (*robot.Frame, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, &exitError{exitInput, err}
	}
	frame, err := vision.Decode(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, exitf(exitInput, "%s: %w", path, err)
	}
	return frame, nil
}

// measureEach is how many questions of each relation and answer are asked at most.
const measureEach = 150

// measureQuery prints how many questions are answered right, with Wilson intervals.
func (a *app) measureQuery(ctx context.Context, f *queryFlags) (err error) {
	pair, err := a.openPair(f.dir, &f.computeFlags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pair.Close()) }()
	r, err := daemon.Questions(ctx, pair, daemon.QuestionOptions{
		Pictures: f.measure, Seed: f.seed, Each: measureEach, Renderer: f.renderer,
		Progress: func(n int) { a.errors.move(fmt.Sprintf("picture %d of %d", n, f.measure)) },
	})
	a.errors.clearLine()
	if err != nil {
		return err
	}
	for _, part := range []struct {
		name, bar string
		rates     daemon.QuestionRates
	}{{"unseen", ">=0.9", r.Unseen}, {"seen", "", r.Seen}} {
		if err := a.printRates("query."+part.name, part.bar, part.rates); err != nil {
			return err
		}
	}
	return nil
}

// printRates prints the rate of all questions and of those of each relation.
func (a *app) printRates(name, bar string, r daemon.QuestionRates) error {
	if err := a.printRate(name, bar, r.All); err != nil {
		return err
	}
	for _, relation := range scenes.Relations() {
		if rate, ok := r.Relations[relation]; ok {
			if err := a.printRate(name+"."+string(relation), "", rate); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *app) printRate(name, bar string, r eval.Rate) error {
	low, high := r.Wilson()
	if a.json {
		return a.printJSON(eval.Figure{Name: name, Value: r.Value(), Unit: "fraction", Bar: bar, Low: &low, High: &high, N: r.Of})
	}
	a.out.line("%-20s %4d of %4d  %5.1f %% (%.0f–%.0f)", name, r.Hits, r.Of, 100*r.Value(), 100*low, 100*high)
	return nil
}
