package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/daemon"
	"github.com/kuai-robot/kuai/policy/memory"
)

func (a *app) memoryCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "memory",
		Short:   "Show or remove what the robot remembers",
		Long:    "What people told the robot to remember and where it saw each thing last, when memory.on is set. The file is\nsealed; these commands open it with its key on this machine. Stop kuai run before you forget something.",
		Example: "  kuai memory show\n  kuai memory forget mug",
		Args:    knownCommand,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.memoryShowCommand(), a.memoryForgetCommand())
	return c
}

// openMemory opens the configured memory; there must be one.
func (a *app) openMemory() (*memory.Store, *config.Config, error) {
	c, err := config.Load(a.configPath)
	if err != nil {
		return nil, nil, &exitError{exitInput, err}
	}
	file, _, err := daemon.MemoryFiles(&c.Memory)
	if err != nil {
		return nil, nil, err
	}
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		return nil, &c, nil
	}
	s, err := daemon.OpenMemory(&c.Memory, a.clock, func(err error) { a.errors.line("%v", err) })
	return s, &c, err
}

func (a *app) memoryShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "Show what is remembered", Example: "  kuai memory show\n  kuai memory show --json", Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			s, c, err := a.openMemory()
			if err != nil {
				return err
			}
			var all memory.Content
			if s != nil {
				all = s.Show()
			}
			if a.json {
				return a.printJSON(all)
			}
			if !c.Memory.On {
				a.out.line("memory.on is false: nothing new is remembered")
			}
			for _, t := range all.Told {
				a.out.line("%s  told: %s", t.At.Local().Format(time.DateTime), t.Text)
			}
			for _, t := range all.Seen {
				a.out.line("%s  the %s was at the %s", t.At.Local().Format(time.DateTime), t.Name, t.Place)
			}
			if len(all.Told)+len(all.Seen) == 0 {
				a.out.line("nothing is remembered")
			}
			return nil
		},
	}
}

func (a *app) memoryForgetCommand() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use: "forget [WORDS]", Short: "Forget what mentions WORDS, or everything", Example: "  kuai memory forget blue mug\n  kuai memory forget --all",
		RunE: func(_ *cobra.Command, args []string) error {
			if all != (len(args) == 0) {
				return exitf(exitInput, "say what to forget, or --all (and not both)")
			}
			if all {
				return a.forgetAll()
			}
			s, _, err := a.openMemory()
			if err != nil {
				return err
			}
			n := 0
			if s != nil {
				n = s.ForgetWhere(strings.Join(args, " "))
			}
			a.out.line("forgot %d", n)
			return nil
		},
	}
	c.Flags().BoolVar(&all, "all", false, "remove the file and its key")
	return c
}

// forgetAll removes the file and its key, which need not fit each other.
func (a *app) forgetAll() error {
	c, err := config.Load(a.configPath)
	if err != nil {
		return &exitError{exitInput, err}
	}
	file, key, err := daemon.MemoryFiles(&c.Memory)
	if err != nil {
		return err
	}
	for _, name := range []string{file, key} {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("memory: %w", err)
		}
	}
	a.out.line("forgot everything")
	return nil
}
