package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/robot"
)

// outcome is what a command line left.
type outcome struct {
	status      int
	out, errors string
}

// kuai runs one command line in this process.
func kuai(ctx context.Context, env map[string]string, stdin string, args ...string) outcome {
	var out, errors bytes.Buffer
	a := &app{
		in: strings.NewReader(stdin), out: &terminal{Writer: &out}, errors: &terminal{Writer: &errors},
		env: func(name string) string { return env[name] }, clock: robot.NewSystemClock(),
	}
	status := a.execute(ctx, args)
	return outcome{status, out.String(), errors.String()}
}

func TestBadInputIsOneLineAndTwo(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken.yaml")
	if err := os.WriteFile(broken, []byte("robot:\n  nmae: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, stdin, want string
		args              []string
	}{
		{"nothing to say", "", "say what", []string{"say"}},
		{"empty", "", "text is empty", []string{"say", ""}},
		{"blank", "", "text is empty", []string{"say", " \t "}},
		{"100 kB", "", "100000 bytes", []string{"say", strings.Repeat("a", 100_000)}},
		{"100 kB by standard input", strings.Repeat("a", 100_000), "more than 2000 bytes", []string{"say", "-"}},
		{"empty standard input", "", "text is empty", []string{"say", "-"}},
		{"not UTF-8", "", "not UTF-8", []string{"say", "pick \xff"}},
		{"not UTF-8 by standard input", "\xfe\n", "not UTF-8", []string{"say", "-"}},
		{"control character", "", "control character", []string{"say", "a\x1b[2J"}},
		{"no skill", "", "which skill", []string{"skill"}},
		{"long skill", "", "bytes", []string{"skill", strings.Repeat("a", 200)}},
		{"unknown command", "", "did you mean kuai say", []string{"sya"}},
		{"unknown flag", "", "unknown flag: --confg", []string{"run", "--confg"}},
		{"argument too many", "", "takes no argument", []string{"status", "now"}},
		{"unknown model", "", "not in the registry", []string{"models", "pull", "gpt"}},
		{"no model", "", "which model", []string{"models", "pull"}},
		{"broken configuration", "", "line 2: robot.nmae: unknown key (did you mean robot.name?)", []string{"run", "--config", broken}},
		{"missing configuration", "", "kuai config prints one", []string{"status", "--config", filepath.Join(dir, "none.yaml")}},
		{"robot's name", "", "robot name", []string{"stop", "--robot", "a/b"}},
		{"negative episodes", "", "--episodes", []string{"eval", "--episodes", "-1"}},
	} {
		got := kuai(t.Context(), nil, c.stdin, c.args...)
		if got.status != exitInput || !strings.Contains(got.errors, c.want) || got.out != "" {
			t.Errorf("%s: %+v, want status 2 and %q", c.name, got, c.want)
		}
		if line, more, _ := strings.Cut(got.errors, "\n"); more != "" || len(line) > 400 {
			t.Errorf("%s: not one short line: %q", c.name, shorten(got.errors, 600))
		}
	}
}

func TestConfigReadsBack(t *testing.T) {
	got := kuai(t.Context(), nil, "", "config")
	c, err := config.Read("printed", strings.NewReader(got.out))
	if got.status != 0 || err != nil || c.Robot.Name != "so101" {
		t.Errorf("%+v, %v", got.errors, err)
	}
	var values map[string]map[string]any
	asJSON := kuai(t.Context(), nil, "", "config", "--json")
	if err := json.Unmarshal([]byte(asJSON.out), &values); err == nil || values["broker"]["listen"] != "127.0.0.1:1883" {
		t.Errorf("%s: %v", asJSON.out, err) // cameras is a list, so the type does not fit whole
	}
}

func TestModels(t *testing.T) {
	t.Setenv("KUAI_MODELS", t.TempDir())
	got := kuai(t.Context(), nil, "", "models", "list")
	if got.status != 0 || !strings.Contains(got.out, "smollm2-135m-instruct") || !strings.Contains(got.out, "Apache-2.0") {
		t.Errorf("list: %+v", got)
	}
	if got = kuai(t.Context(), nil, "", "models", "verify"); got.status != 0 || !strings.Contains(got.out, "no model is here") {
		t.Errorf("verify of nothing: %+v", got)
	}
	if got = kuai(t.Context(), nil, "", "models", "verify", "silero-vad"); got.status != exitFailed || !strings.Contains(got.out, "kuai models pull silero-vad") {
		t.Errorf("verify of a missing model: %+v", got)
	}
	for line := range strings.Lines(kuai(t.Context(), nil, "", "models", "list", "--json").out) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil || m["here"] != false {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestDoctorSaysWhatMends(t *testing.T) {
	t.Setenv("KUAI_MODELS", t.TempDir())
	path := filepath.Join(t.TempDir(), "robot.yaml")
	text := "web: {listen: \"127.0.0.1:1\"}\ncameras: [{name: a, url: usb:77}, {name: b, url: \"rtsp://127.0.0.1:1/x\"}, {name: c, url: \"file:/nowhere.mp4\"}]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := startRobot(t, nil)
	telling, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.tell(telling) }()
	got := kuai(t.Context(), map[string]string{"KUAI_BROKER": r.url}, "", "doctor", "--json", "--config", path)
	stop()
	<-done
	found := map[string]finding{}
	for line := range strings.Lines(got.out) {
		var f finding
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		found[f.What] = f
	}
	for what, want := range map[string]finding{
		"model": {Level: bad, Mend: "kuai models pull smollm2-135m-instruct"}, "broker": {Level: good}, "robot": {Level: good},
		"page": {Level: warning, Mend: "kuai run"}, "camera a": {Level: bad, Mend: "plug the camera in (ls /dev/video* shows what is there)"},
		"camera b": {Level: warning, Mend: "switch the camera on, or correct its url under cameras"}, "camera c": {Level: bad, Mend: "correct its url under cameras"},
		"processor": {Level: good}, "kuai": {Level: good}, "configuration": {Level: good},
	} {
		if f := found[what]; f.Level != want.Level || f.Mend != want.Mend {
			t.Errorf("%s: %+v, want %+v", what, f, want)
		}
	}
	if got.status != exitFailed || !strings.Contains(got.errors, "3 things need mending") {
		t.Errorf("%d %s", got.status, got.errors)
	}
}

func TestHelpHasExamples(t *testing.T) {
	a := &app{env: func(string) string { return "" }}
	for _, c := range a.rootCommand().Commands() {
		if c.Example == "" && c.Name() != "completion" && c.Name() != "help" {
			t.Errorf("kuai %s has no example", c.Name())
		}
		for _, sub := range c.Commands() {
			if sub.Example == "" && c.Name() != "completion" {
				t.Errorf("kuai %s %s has no example", c.Name(), sub.Name())
			}
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if got := kuai(t.Context(), nil, "", "completion", shell); got.status != 0 || len(got.out) < 1000 {
			t.Errorf("completion %s: %d, %d bytes", shell, got.status, len(got.out))
		}
	}
	if got := kuai(t.Context(), nil, "", "__complete", "models", "pull", ""); !strings.Contains(got.out, "whisper-base") {
		t.Errorf("completion of models: %+v", got)
	}
}

// The configuration repeats the safety core's fields and defaults, which it
// must not import.
func TestSafetyDefaultsAreThoseOfTheCore(t *testing.T) {
	keys := func(v any) string {
		text, err := yaml.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if ours, core := keys(config.Default().Safety), keys(safety.DefaultConfig()); ours != core {
		t.Errorf("config has\n%s\nthe core\n%s", ours, core)
	}
}

// The lines that the broker asks to add are a configuration.
func TestTheLinesToAddAreTaken(t *testing.T) {
	var open *broker.Access
	err := open.CheckListen("broker", "broker.listen", "0.0.0.0:1883")
	if err == nil {
		t.Fatal("not refused")
	}
	_, lines, _ := strings.Cut(err.Error(), "configuration:\n")
	lines, _, _ = strings.Cut(lines, "\n(")
	c, err := config.Read("lines to add", strings.NewReader(lines))
	if err != nil || len(c.Access.Users) != 1 {
		t.Errorf("%s: %v, %v", lines, c.Access.Users, err)
	}
}
