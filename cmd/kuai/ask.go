package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// asker puts questions to a person. With yes it takes what it proposes.
type asker struct {
	out   *terminal
	lines <-chan typed
	yes   bool
}

// typed is a line that a person wrote, or why none comes.
type typed struct {
	text string
	err  error
}

// newAsker reads the answers from in until ctx ends.
func newAsker(ctx context.Context, in io.Reader, out *terminal, yes bool) *asker {
	lines := make(chan typed)
	go func() {
		for reader := bufio.NewReader(in); ; {
			text, err := reader.ReadString('\n')
			if err != nil && text == "" {
				err = errors.New("the input ended before the last answer; nothing was written (--yes takes what is proposed)")
			} else {
				err = nil
			}
			select {
			case lines <- typed{strings.TrimSpace(text), err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return &asker{out: out, lines: lines, yes: yes}
}

// text asks until check takes the answer; Enter is proposed.
func (a *asker) text(ctx context.Context, question, proposed string, check func(string) error) (string, error) {
	for {
		if a.yes {
			return proposed, check(proposed)
		}
		fmt.Fprintf(a.out, "%s %s ", question, a.out.dim("["+first(proposed, "none")+"]"))
		var answer typed
		select {
		case answer = <-a.lines:
		case <-ctx.Done():
			return "", ctx.Err()
		}
		if answer.err != nil {
			fmt.Fprintln(a.out)
			return "", answer.err
		}
		text := first(answer.text, proposed)
		err := check(text)
		if err == nil {
			return text, nil
		}
		a.out.line("  %s", a.out.yellow(err.Error()))
	}
}

// choose asks for one of several by its number and gives its index.
func (a *asker) choose(ctx context.Context, question string, choices []string, proposed int) (int, error) {
	if !a.yes {
		a.out.line("%s", a.out.bold(question))
		for i, c := range choices {
			a.out.line("  %d  %s", i+1, c)
		}
	}
	answer, err := a.text(ctx, "number", strconv.Itoa(proposed+1), func(text string) error {
		if n, err := strconv.Atoi(text); err != nil || n < 1 || n > len(choices) {
			return fmt.Errorf("%q is not 1 to %d", shorten(text, 40), len(choices))
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(answer)
	return n - 1, err
}

// confirm asks a question of yes and no.
func (a *asker) confirm(ctx context.Context, question string, proposed bool) (bool, error) {
	answer, err := a.text(ctx, question, map[bool]string{true: "yes", false: "no"}[proposed], func(text string) error {
		if !strings.HasPrefix("yes", strings.ToLower(text)) && !strings.HasPrefix("no", strings.ToLower(text)) {
			return fmt.Errorf("%q is neither yes nor no", shorten(text, 40))
		}
		return nil
	})
	return strings.HasPrefix(strings.ToLower(answer), "y"), err
}
