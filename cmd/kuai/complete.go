package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/internal/bench"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/daemon"
	"github.com/kuai-robot/kuai/policy/skill"
)

// What a shell offers beyond commands and flags: names that kuai knows. A name
// that cannot be had now (a configuration that is broken) is not offered; why is
// for the command itself to say.

// completeSkills offers the skills of the catalogue, then what fills their slots.
func (a *app) completeSkills(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	c, err := config.Load(a.configPath)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	catalogue, err := daemon.Catalogue(&c)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var offered []string
	for i := range catalogue.Skills {
		t := &catalogue.Skills[i]
		switch {
		case t.Ends:
		case len(args) == 0:
			offered = append(offered, t.Name+"\t"+t.Phrase)
		case t.Name == args[0] && len(args) <= len(t.Slots):
			offered = append(offered, slotWords(catalogue, &t.Slots[len(args)-1])...)
		}
	}
	slices.Sort(offered)
	return slices.Compact(offered), cobra.ShellCompDirectiveNoFileComp
}

// slotWords gives what may fill a slot: its words, and each colour of each kind,
// for what lies before the robot is not known here.
func slotWords(c *skill.Catalogue, s *skill.Slot) []string {
	all := slices.Clone(s.Words)
	for _, kind := range s.Kinds {
		for _, colour := range c.Colours {
			all = append(all, colour+" "+kind)
		}
	}
	return all
}

// completeKeys offers the keys of the configuration.
func completeKeys(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var offered []string
	for _, k := range config.Keys() {
		if !strings.Contains(k.Path, "[]") && !slices.Contains(args, k.Path) {
			doc, _, _ := strings.Cut(k.Doc, "\n")
			offered = append(offered, k.Path+"\t"+doc)
		}
	}
	return offered, cobra.ShellCompDirectiveNoFileComp
}

// completeGroups offers what kuai bench measures.
func completeGroups(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	c := config.Default()
	return benchNames(daemon.BenchGroups(&c)), cobra.ShellCompDirectiveNoFileComp
}

func benchNames(groups []bench.Group) (all []string) {
	for _, g := range groups {
		all = append(all, g.Name+"\t"+g.About)
	}
	return all
}

// completeRecordings offers recordings alone.
func completeRecordings(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"mcap"}, cobra.ShellCompDirectiveFilterFileExt
}
