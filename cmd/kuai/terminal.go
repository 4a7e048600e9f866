package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// terminal is an output that may be a terminal. What is written to it is
// written as it is; the methods add colours and moving lines where there is one.
type terminal struct {
	io.Writer
	// width is 0 when this is no terminal.
	width   int
	colours bool
	moving  bool // a line without its end stands there
}

// newTerminal looks at what file is. NO_COLOR (no-color.org) switches colours off.
func newTerminal(file *os.File, env func(string) string) *terminal {
	t := &terminal{Writer: file}
	size, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ)
	if err == nil && env("TERM") != "dumb" {
		t.width = max(int(size.Col), 40)
		t.colours = env("NO_COLOR") == ""
	}
	return t
}

func (t *terminal) paint(code, text string) string {
	if !t.colours || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (t *terminal) bold(text string) string   { return t.paint("1", text) }
func (t *terminal) dim(text string) string    { return t.paint("2", text) }
func (t *terminal) red(text string) string    { return t.paint("31", text) }
func (t *terminal) green(text string) string  { return t.paint("32", text) }
func (t *terminal) yellow(text string) string { return t.paint("33", text) }

// move shows text in place of the moving line; nothing where this is no terminal.
func (t *terminal) move(text string) {
	if t.width == 0 {
		return
	}
	fmt.Fprint(t.Writer, "\r\x1b[K"+shorten(text, t.width-1))
	t.moving = true
}

// clearLine removes the moving line.
func (t *terminal) clearLine() {
	if t.moving {
		fmt.Fprint(t.Writer, "\r\x1b[K")
		t.moving = false
	}
}

// line removes the moving line and writes one that stays.
func (t *terminal) line(format string, args ...any) {
	t.clearLine()
	fmt.Fprintf(t.Writer, format+"\n", args...)
}

// bar draws share, 0 to 1, over cells characters.
func bar(share float64, cells int) string {
	full := int(min(max(share, 0), 1)*float64(cells) + 0.5)
	return strings.Repeat("█", full) + strings.Repeat("░", cells-full)
}

// shorten cuts text to most characters and marks the cut.
func shorten(text string, most int) string {
	text = strings.ToValidUTF8(text, "?")
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// printJSON writes v on one line.
func (a *app) printJSON(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s\n", data)
	return nil
}
