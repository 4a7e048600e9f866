package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/daemon"
	"github.com/kuai-robot/kuai/sim/eval"
)

// runDaemon is the robot until ctx ends.
func (a *app) runDaemon(ctx context.Context, c config.Config, log *slog.Logger) (err error) {
	began := a.clock.Now()
	supervisor, err := daemon.SupervisorOf(a.env)
	if err != nil {
		return &exitError{exitInput, err}
	}
	d, err := daemon.New(daemon.Options{Config: &c, Clock: a.clock, Log: log, Version: version, Supervisor: supervisor})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	fmt.Fprintf(a.out, "kuai %s is ready after %.1f s\n  page    %s\n  broker  %s, topics kuai/v1/%s/…\n  try     kuai say \"put the green block in the red bowl\"\n",
		version, a.clock.Now().Sub(began).Seconds(), d.URL(), d.Broker(), c.Robot.Name)
	return d.Run(ctx)
}

// runEval runs a suite and prints its report.
func (a *app) runEval(ctx context.Context, o *evalFlags) error {
	c, err := config.Load(a.configPath)
	if err != nil {
		return &exitError{exitInput, err}
	}
	if o.adapter != "" {
		c.Planner.Adapter = o.adapter
	}
	suite, err := readSuite(o.suite)
	if err == nil {
		err = o.setSkills(&c)
	}
	if err == nil {
		err = o.backend.set(&c)
	}
	if err != nil {
		return &exitError{exitInput, err}
	}
	episodes := o.episodes
	if episodes == 0 {
		episodes = len(suite.Episodes)
	}
	can := ""
	if c.Affordance == config.Learned && !o.given {
		can = c.Affordance
	}
	report, err := daemon.Eval(ctx, &c, suite, eval.Options{Episodes: o.episodes, Seed: o.seed, Given: o.given, Skills: c.Runner, Can: can, Done: func(out *eval.Outcome) error {
		a.errors.move(fmt.Sprintf("episode %d of %d", out.Number, episodes))
		if o.out == "" {
			return nil
		}
		return eval.Keep(o.out, out)
	}}, a.tellOnce())
	a.errors.clearLine()
	if err != nil {
		return err
	}
	if a.json {
		return report.WriteJSON(a.out)
	}
	return report.WriteTable(a.out)
}

func readSuite(name string) (*eval.Suite, error) {
	if name == "tabletop" {
		return eval.Tabletop(), nil
	}
	if name == eval.KitchenSuite {
		return eval.Kitchen(), nil
	}
	if name == eval.KitchenFreshSuite {
		return eval.KitchenFresh(), nil
	}
	if name == eval.KitchenLaterSuite {
		return eval.KitchenLater(), nil
	}
	if name == eval.KitchenThirdSuite {
		return eval.KitchenThird(), nil
	}
	if suite, ok := eval.Pixels(name); ok {
		return suite, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("suite: %w (want tabletop, kitchen, kitchen-fresh, kitchen-later, kitchen-third, %s or a JSONL file)", err, strings.Join(eval.PixelSuites(), ", "))
	}
	defer file.Close()
	return eval.Read(name, file)
}

// runBench measures the groups called names, or all.
func (a *app) runBench(ctx context.Context, names []string) error {
	c, err := config.Load(a.configPath)
	if err != nil {
		return &exitError{exitInput, err}
	}
	groups, err := bench.Select(daemon.BenchGroups(&c), names)
	if err != nil {
		return &exitError{exitInput, err}
	}
	printer := bench.NewPrinter(a.out, a.json)
	for _, g := range groups {
		a.errors.move("measuring " + g.Name + ": " + g.About)
		rows, err := g.Run(bench.WithProgress(ctx, func(text string) { a.errors.move("measuring " + g.Name + ": " + text) }))
		a.errors.clearLine()
		if err != nil {
			return fmt.Errorf("bench %s: %w", g.Name, err)
		}
		if err := printer.Print(rows); err != nil {
			return err
		}
	}
	return nil
}
