package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/internal/models"
)

func (a *app) modelsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "models", Short: "List, fetch and check the weights that kuai can load",
		Example: "  kuai models list\n  kuai models pull smollm2-135m-instruct", Args: knownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	var from string
	pull := &cobra.Command{
		Use: "pull NAME...", Short: "Fetch models; what broke off goes on where it stopped",
		Example: "  kuai models pull smollm2-135m-instruct\n  kuai models pull --from /media/stick whisper-base",
		RunE:    func(c *cobra.Command, names []string) error { return a.pullModels(c.Context(), names, from) },
	}
	pull.Flags().StringVar(&from, "from", "", "look into this `FOLDER` first, for machines without a network")
	c.AddCommand(pull,
		&cobra.Command{
			Use: "list", Short: "The models that kuai knows, and which are here", Example: "  kuai models list", Args: noArguments,
			RunE: func(*cobra.Command, []string) error { return a.listModels() },
		},
		&cobra.Command{
			Use: "verify [NAME...]", Short: "Compare models that are here with their checksums; none named: all of them",
			Example: "  kuai models verify\n  kuai models verify smollm2-135m-instruct",
			RunE:    func(c *cobra.Command, names []string) error { return a.verifyModels(c.Context(), names) },
		})
	for _, sub := range c.Commands() {
		sub.ValidArgsFunction = completeModels
	}
	return c
}

func completeModels(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	registry, err := models.Registry()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	names := make([]string, len(registry))
	for i := range registry {
		names[i] = registry[i].Name
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (a *app) listModels() error {
	store, err := models.NewStore()
	if err != nil {
		return err
	}
	if !a.json {
		a.out.line("%-24s %9s  %-12s %-8s %s", "NAME", "SIZE", "LICENCE", "HERE", "WHAT")
	}
	for i := range store.Models {
		m := &store.Models[i]
		_, err := store.Find(m.Name)
		if a.json {
			if err := a.printJSON(map[string]any{"name": m.Name, "bytes": m.Size(), "licence": m.Licence, "here": err == nil, "about": m.About}); err != nil {
				return err
			}
			continue
		}
		here := "no"
		if err == nil {
			here = "yes"
		}
		a.out.line("%-24s %9s  %-12s %-8s %s", m.Name, megabytes(m.Size()), m.Licence, here, m.About)
	}
	if !a.json {
		a.out.line("%s", a.out.dim("in "+store.Dir))
	}
	return nil
}

func (a *app) pullModels(ctx context.Context, names []string, from string) error {
	if len(names) == 0 {
		return exitf(exitInput, "which model? (see kuai models list)")
	}
	store, err := models.NewStore()
	if err != nil {
		return err
	}
	store.From = from
	store.Wait = func(ctx context.Context, d time.Duration) error { return a.clock.Wait(ctx, a.clock.Now().Add(d)) }
	for _, name := range names {
		if _, err := store.Model(name); err != nil {
			return &exitError{exitInput, err}
		}
		p := progress{app: a}
		if err := store.Pull(ctx, name, p.tell); err != nil {
			return err
		}
		dir, err := store.Find(name)
		if err != nil {
			return err
		}
		if a.json {
			if err := a.printJSON(map[string]any{"model": name, "here": true, "folder": dir}); err != nil {
				return err
			}
			continue
		}
		a.out.line("%s is here: %s", a.out.bold(name), dir)
	}
	return nil
}

func (a *app) verifyModels(ctx context.Context, names []string) error {
	store, err := models.NewStore()
	if err != nil {
		return err
	}
	all := len(names) == 0
	if all {
		names, _ = completeModels(nil, nil, "")
	}
	failed, looked := 0, 0
	for _, name := range names {
		if _, err := store.Model(name); err != nil {
			return &exitError{exitInput, err}
		}
		if _, err := store.Find(name); err != nil && all {
			continue
		}
		a.out.move("checking " + name + " …")
		err := store.Verify(ctx, name)
		looked++
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case a.json:
			if err := a.printJSON(map[string]any{"model": name, "ok": err == nil, "error": errorText(err)}); err != nil {
				return err
			}
		case err == nil:
			a.out.line("%-24s %s", name, a.out.green("as published"))
		default:
			a.out.line("%-24s %s: %v", name, a.out.red("broken"), err)
		}
		if err != nil {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d models are not as published", failed, looked)
	}
	if looked == 0 && !a.json {
		a.out.line("no model is here yet (kuai models pull NAME fetches one)")
	}
	return nil
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// progress shows how far a pull is: a bar on terminals, a line each tenth
// elsewhere.
type progress struct {
	app    *app
	file   string
	source string
	tenth  int64
}

func (p *progress) tell(at models.Progress) {
	if p.file != at.File || p.source != at.Source {
		p.file, p.source, p.tenth = at.File, at.Source, -1
	}
	if at.Source == "here" || at.Total <= 0 {
		return
	}
	out := p.app.errors // results alone go to standard output
	if out.width > 0 {
		share := float64(at.Done) / float64(at.Total)
		out.move(fmt.Sprintf("%s  %s  %3.0f %%  %s of %s  %s", at.File, bar(share, 24), 100*share, megabytes(at.Done), megabytes(at.Total), at.Source))
		if at.Done == at.Total {
			out.clearLine()
		}
		return
	}
	if tenth := 10 * at.Done / at.Total; tenth > p.tenth {
		p.tenth = tenth
		out.line("%s: %d %% of %s from %s", at.File, 10*tenth, megabytes(at.Total), at.Source)
	}
}

func megabytes(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d kB", (n+1023)>>10)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
}
