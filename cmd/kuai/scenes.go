package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/sim/scenes"
	"github.com/kuai-robot/kuai/sim/world"
)

// sceneFlags are what the user asked for.
type sceneFlags struct {
	pictures      int
	seed          uint64
	out, renderer string
	unseen        bool
}

func (a *app) scenesCommand() *cobra.Command {
	var f sceneFlags
	c := &cobra.Command{
		Use:   "scenes",
		Short: "Take pictures of the simulated workbench and say what is true in them",
		Long: "Draws what stands on the workbench, takes the front camera's picture and keeps it with the truth of some 450\n" +
			"statements, such as that a red block is in a bowl, as shards for training (make train-vision). Without --unseen\n" +
			"what is kept from training is in no picture; with it, it is in most. The same seed gives the same pictures.",
		Example: "  kuai scenes --pictures 500 --out pictures",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if f.out == "" || f.pictures < 1 {
				return exitf(exitInput, "give --out FOLDER and --pictures of 1 or more")
			}
			return a.takeScenes(c.Context(), &f)
		},
	}
	flags := c.Flags()
	flags.IntVar(&f.pictures, "pictures", 500, "how many `PICTURES`")
	flags.Uint64Var(&f.seed, "seed", 1, "that of the first scene; the next has the next")
	flags.StringVar(&f.out, "out", "", "`FOLDER` of the shards; it must hold none")
	flags.BoolVar(&f.unseen, "unseen", false, "show what training never shows")
	flags.StringVar(&f.renderer, "renderer", "", "osmesa (the CPU) or egl (a GPU); empty: the GPU where there is one")
	return c
}

// errTaken ends a gallery when there are enough pictures.
var errTaken = errors.New("enough pictures")

// takeScenes takes the pictures and prints how many seeds it took.
func (a *app) takeScenes(ctx context.Context, f *sceneFlags) error {
	g, err := scenes.New(world.Options{Renderer: f.renderer}, f.unseen)
	if err != nil {
		return err
	}
	defer g.Close()
	shards, err := scenes.NewShards(f.out)
	if err != nil {
		return &exitError{exitInput, err}
	}
	taken, seeds := 0, 0
	for err == nil {
		if err = ctx.Err(); err != nil {
			return err
		}
		err = g.Take(f.seed+uint64(seeds), func(p *scenes.Picture) error {
			if taken == f.pictures {
				return errTaken
			}
			taken++
			a.errors.move(fmt.Sprintf("picture %d of %d", taken, f.pictures))
			return shards.Add(p)
		})
		seeds++
	}
	a.errors.clearLine()
	if !errors.Is(err, errTaken) {
		return err
	}
	if err := shards.Flush(); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]int{"pictures": taken, "seeds": seeds})
	}
	fmt.Fprintf(a.out, "%d pictures of %d seeds in %s\n", taken, seeds, f.out)
	return nil
}
