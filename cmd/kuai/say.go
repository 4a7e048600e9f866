package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/internal/topics"
)

func (a *app) sayCommand() *cobra.Command {
	var detach bool
	var spoken spokenFlags
	c := &cobra.Command{
		Use:   "say TEXT",
		Short: "Say what the robot should do, and watch how it does it",
		Long: "Sends an instruction and prints the plan as it unfolds: at each step the best candidates with\n" +
			"what the language model gives them (say), whether they would succeed now (can) and the product,\n" +
			"what ran, and how it ended. \"-\" reads the text from standard input; --audio hears it in a sound file.\n\n" +
			"The exit status is 0 only when the robot says that it succeeded: 2 the text cannot be an\n" +
			"instruction, 3 the robot does not answer, 4 it refused, 5 it tried and gave up.",
		Example: "  kuai say \"put the red block in the blue bowl\"\n  echo \"clear the table\" | kuai say -\n  kuai say --audio order.wav\n  kuai say --json \"stack the green block on the blue block\"",
		RunE: func(c *cobra.Command, args []string) error {
			text, err := a.instruction(c.Context(), &spoken, args)
			if err != nil {
				return err
			}
			id := newID()
			payload, err := topics.Encode(topics.Instruction{ID: id, Text: text})
			if err != nil {
				return &exitError{exitInput, err}
			}
			return a.follow(c.Context(), topics.NameInstruction, id, payload, detach)
		},
	}
	c.Flags().BoolVar(&detach, "detach", false, "return as soon as the robot has accepted")
	spoken.register(c)
	return a.addLinkFlags(c)
}

// instruction gives what was typed, or what is said in a sound file.
func (a *app) instruction(ctx context.Context, f *spokenFlags, args []string) (string, error) {
	if f.file != "" {
		return a.spokenText(ctx, f, args)
	}
	return a.instructionText(args)
}

// instructionText joins the arguments and checks them as the daemon would, so
// that what is wrong is said without a robot.
func (a *app) instructionText(args []string) (string, error) {
	text := strings.Join(args, " ")
	if len(args) == 0 {
		return "", exitf(exitInput, `say what? (kuai say "put the red block in the blue bowl")`)
	}
	if text == "-" {
		data, err := io.ReadAll(io.LimitReader(a.in, topics.MaxText+2))
		if err != nil {
			return "", fmt.Errorf("standard input: %w", err)
		}
		text = strings.TrimRight(string(data), "\r\n")
		if len(data) > topics.MaxText+1 {
			return "", exitf(exitInput, "instruction: text has more than %d bytes (say it shorter)", topics.MaxText)
		}
	}
	if err := topics.ValidText(text); err != nil {
		return "", exitf(exitInput, "instruction: %w (say it in 1 to %d bytes of UTF-8)", err, topics.MaxText)
	}
	return text, nil
}

func (a *app) skillCommand() *cobra.Command {
	var detach bool
	c := &cobra.Command{
		Use:               "skill NAME [ARGUMENT...]",
		Short:             "Run one skill, without the language model",
		ValidArgsFunction: a.completeSkills,
		Example:           "  kuai skill pick \"red block\"\n  kuai skill home",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return exitf(exitInput, `which skill? (kuai skill pick "red block")`)
			}
			m := topics.Skill{ID: newID(), Name: args[0], Args: args[1:]}
			if err := m.Validate(); err != nil {
				return exitf(exitInput, "skill: %w", err)
			}
			payload, err := topics.Encode(m)
			if err != nil {
				return &exitError{exitInput, err}
			}
			return a.follow(c.Context(), topics.NameSkill, m.ID, payload, detach)
		},
	}
	c.Flags().BoolVar(&detach, "detach", false, "return as soon as the robot has accepted")
	return a.addLinkFlags(c)
}

// errNoAnswer is what a robot that is not there amounts to.
func (a *app) errNoAnswer(what string) error {
	o, err := a.linkOptions()
	if err != nil {
		return err
	}
	return &exitError{exitUnreachable, errors.New("robot " + o.Robot + " at " + o.URL + ": no answer to " + what +
		" (is kuai run on, under that name? see kuai doctor)")}
}
