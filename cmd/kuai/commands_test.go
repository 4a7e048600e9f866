package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// everyCommand calls look for each command that kuai itself defines.
func everyCommand(look func(*cobra.Command)) {
	a := &app{env: func(string) string { return "" }}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Name() == "completion" || c.Name() == "help" {
			return
		}
		look(c)
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(a.rootCommand())
}

var documented = regexp.MustCompile(`(?m)^  (.*)$`)

func TestEveryCommandHasWhatPeopleLookFor(t *testing.T) {
	n := 0
	everyCommand(func(c *cobra.Command) {
		n++
		path := c.CommandPath()
		if c.Short == "" || strings.HasSuffix(c.Short, ".") || c.Example == "" {
			t.Errorf("%s: a line of what it does without a full stop, and an example, are wanted: %q, %q", path, c.Short, c.Example)
		}
		if c.InheritedFlags().Lookup("json") == nil && c.Flags().Lookup("json") == nil && c.PersistentFlags().Lookup("json") == nil {
			t.Errorf("%s: has no --json", path)
		}
		for _, line := range documented.FindAllStringSubmatch(c.Example, -1) {
			if !strings.Contains(line[1], "kuai") && !strings.HasPrefix(line[1], "man ") {
				t.Errorf("%s: the example %q is not one of kuai", path, line[1])
			}
		}
		// --help says it, and so does the page of the manual.
		help := kuai(t.Context(), nil, "", append(strings.Fields(path)[1:], "--help")...)
		if help.status != 0 || !strings.Contains(help.out, "Examples:") || !strings.Contains(help.out, "--json") {
			t.Errorf("%s --help: %+v", path, help)
		}
	})
	if n < 25 {
		t.Errorf("only %d commands were looked at", n)
	}
}

// A command that prints a result prints it as JSON, one object a line, when it
// is asked to. Those that need a robot are tested with one.
func TestJSONOfWhatNeedsNoRobot(t *testing.T) {
	folder := t.TempDir()
	for _, args := range [][]string{
		{"version"}, {"config"}, {"config", "robot.name", "cameras", "sim.camera"}, {"models", "list"}, {"doctor"},
		{"man", filepath.Join(folder, "man")}, {"init", filepath.Join(folder, "robot.yaml"), "--yes"},
	} {
		got := kuai(t.Context(), map[string]string{"KUAI_MACHINE": folder}, "", append(args, "--json")...)
		if got.out == "" {
			t.Errorf("%v: %+v", args, got)
		}
		for line := range strings.Lines(got.out) {
			var object map[string]any
			if err := json.Unmarshal([]byte(line), &object); err != nil {
				t.Errorf("%v: %v in %s", args, err, line)
			}
		}
	}
}

func TestConfigPrintsKeys(t *testing.T) {
	got := kuai(t.Context(), nil, "", "config", "robot.name", "control.rate_hz", "sim.camera", "access.users")
	if want := "so101\n100\n{\"height\":240,\"rate_hz\":15,\"width\":320}\n[]\n"; got.status != 0 || got.out != want {
		t.Errorf("%+v, want %q", got, want)
	}
	for _, key := range []string{"robot.nmae", "robot.name.first", "", "."} {
		if got := kuai(t.Context(), nil, "", "config", key); got.status != exitInput || !strings.Contains(got.errors, "did you mean") {
			t.Errorf("%q: %+v", key, got)
		}
	}
}

func TestManualPages(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "man1")
	if got := kuai(t.Context(), nil, "", "man", folder); got.status != 0 {
		t.Fatalf("%+v", got)
	}
	everyCommand(func(c *cobra.Command) {
		if c.Hidden {
			return
		}
		name := strings.ReplaceAll(c.CommandPath(), " ", "-") + ".1"
		page, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil || !strings.Contains(string(page), ".TH \"KUAI\"") || !strings.Contains(string(page), ".SH EXAMPLE") {
			t.Errorf("%s: %v\n%.200s", name, err, page)
		}
	})
	man, err := exec.LookPath("man")
	if err != nil {
		t.Log("man is not installed: the pages are not rendered")
		return
	}
	out, err := exec.CommandContext(t.Context(), man, "--warnings", "-E", "UTF-8", "-l", "-Tutf8", filepath.Join(folder, "kuai-say.1")).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "put the red block") || strings.Contains(string(out), "warning") {
		t.Errorf("man: %v\n%.600s", err, out)
	}
}

func TestCompletionOffersNames(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"skill", ""}, []string{"pick\t", "place_in\t", "home\t"}},
		{[]string{"skill", "place_in", ""}, []string{"red block\n"}},
		{[]string{"skill", "place_in", "red block", ""}, []string{"blue bowl\n"}},
		{[]string{"models", "pull", ""}, []string{"whisper-base\n"}},
		{[]string{"config", "robot.feetech.p"}, []string{"robot.feetech.port\t"}},
		{[]string{"bench", ""}, []string{"loop\t", "page\t"}},
		{[]string{"init", "--driver", ""}, []string{"feetech\n"}},
		{[]string{"replay", ""}, []string{"mcap\n"}},
		{[]string{"st"}, []string{"stop\t", "status\t"}},
	} {
		got := kuai(t.Context(), nil, "", append([]string{"__complete"}, c.args...)...)
		for _, want := range c.want {
			if !strings.Contains(got.out, want) {
				t.Errorf("%v: no %q in %+v", c.args, want, got)
			}
		}
	}
}

// What a shell loads is a script that the shell itself takes.
func TestCompletionScriptsAreTaken(t *testing.T) {
	for shell, check := range map[string][]string{"bash": {"bash", "-n"}, "zsh": {"zsh", "-n"}, "fish": {"fish", "--no-execute"}} {
		got := kuai(t.Context(), nil, "", "completion", shell)
		if got.status != 0 || len(got.out) < 1000 {
			t.Errorf("%s: %d, %d bytes", shell, got.status, len(got.out))
			continue
		}
		if _, err := exec.LookPath(check[0]); err != nil {
			continue
		}
		path := filepath.Join(t.TempDir(), "completion")
		if err := os.WriteFile(path, []byte(got.out), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), check[0], append(check[1:], path)...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", shell, err, out)
		}
	}
}

// Colours and moving lines are for terminals: what goes into a file has none.
func TestNoColoursOutsideTerminals(t *testing.T) {
	for _, args := range [][]string{{"doctor"}, {"models", "list"}, {"config"}, {"--help"}, {"init", filepath.Join(t.TempDir(), "r.yaml"), "--yes"}} {
		got := kuai(t.Context(), map[string]string{"KUAI_MACHINE": t.TempDir()}, "", args...)
		if strings.Contains(got.out+got.errors, "\x1b") {
			t.Errorf("%v: %q", args, got.out)
		}
	}
}
