package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Blocks of the documentation that are marked "sh" run here; "sh robot" needs a
// running robot, "sh machine" changes the machine (it installs, or runs until it
// is interrupted), so that its commands are only looked up.
const (
	runsAlone   = "sh"
	needsRobot  = "sh robot"
	needsReader = "sh machine"
)

// block is one fenced block of a document.
type block struct {
	place, mark, text string
}

func documents(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(repository, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	return append(paths, filepath.Join(repository, "README.md"))
}

var fence = regexp.MustCompile("(?ms)^```(sh[^\n]*)\n(.*?)^```$")

func blocks(t *testing.T, mark string) []block {
	t.Helper()
	var all []block
	for _, path := range documents(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range fence.FindAllSubmatchIndex(data, -1) {
			b := block{
				place: fmt.Sprintf("%s:%d", filepath.Base(path), 1+strings.Count(string(data[:at[0]]), "\n")),
				mark:  string(data[at[2]:at[3]]), text: string(data[at[4]:at[5]]),
			}
			switch b.mark {
			case mark:
				all = append(all, b)
			case runsAlone, needsRobot, needsReader:
			default:
				t.Errorf("%s: nobody knows what a block marked %q is", b.place, b.mark)
			}
		}
	}
	if len(all) == 0 {
		t.Fatalf("no block is marked %q", mark)
	}
	return all
}

// buildKuai builds the program into a folder of its own.
func buildKuai(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(folder, "kuai"), ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return folder
}

// runBlock runs a block as a person would, from a folder that has bin/kuai.
func runBlock(t *testing.T, b block, bin, folder string, env ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "bash", "-eu", "-o", "pipefail", "-c", b.text)
	command.Dir = folder
	command.Env = append(append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH")), env...)
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s\n%s", b.place, err, b.text, out)
	}
}

// workFolder gives an empty folder in which bin/kuai is the program.
func workFolder(t *testing.T, bin string) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.Symlink(bin, filepath.Join(folder, "bin")); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestCommandsInTheDocsRun(t *testing.T) {
	bin := buildKuai(t)
	for _, b := range blocks(t, runsAlone) {
		runBlock(t, b, bin, workFolder(t, bin), "KUAI_CONFIG=")
	}
}

// Commands that change the machine are looked up: targets of make exist, and
// the command line takes the flags.
func TestCommandsInTheDocsExist(t *testing.T) {
	var makefile []byte
	for _, path := range []string{"Makefile", "kernels/cuda/cuda.mk"} { // which the first includes
		part, err := os.ReadFile(filepath.Join(repository, path))
		if err != nil {
			t.Fatal(err)
		}
		makefile = append(makefile, part...)
	}
	for _, b := range blocks(t, needsReader) {
		for line := range strings.Lines(b.text) {
			words := strings.Fields(line)
			if len(words) == 0 {
				continue
			}
			switch filepath.Base(words[0]) {
			case "make":
				for _, target := range words[1:] {
					if !strings.Contains(target, "=") && !strings.Contains(string(makefile), "\n"+target+":") {
						t.Errorf("%s: the Makefile has no target %s", b.place, target)
					}
				}
			case "kuai":
				if got := kuai(t.Context(), nil, "", append(words[1:], "--help")...); got.status != 0 {
					t.Errorf("%s: %s: %s", b.place, strings.TrimSpace(line), got.errors)
				}
			}
		}
	}
}

func TestCommandsInTheDocsRunWithARobot(t *testing.T) {
	bin := buildKuai(t)
	broker, page, cameras := freePort(t), freePort(t), freePort(t)
	text := fmt.Sprintf("broker: {listen: \"127.0.0.1:%s\"}\nweb: {listen: \"127.0.0.1:%s\"}\nsim: {demo: \"\", rtsp: {listen: \"127.0.0.1:%s\"}}\n"+
		"cameras:\n  - {name: front, url: \"rtsp://127.0.0.1:%s/front\"}\n"+
		// What is tested is the documentation, not how busy this machine is.
		"safety: {max_state_age: 5s, max_tick: 5s, policy: {expiry: 5s, max_age: 10s}, skill: {expiry: 5s, max_age: 10s}}\n", broker, page, cameras, cameras)
	path := filepath.Join(t.TempDir(), "robot.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	startDaemon(t, filepath.Join(bin, "kuai"), path)
	ports := strings.NewReplacer("localhost:8080", "localhost:"+page, "mosquitto_pub ", "mosquitto_pub -p "+broker+" ", "mosquitto_sub ", "mosquitto_sub -p "+broker+" ")
	for _, b := range blocks(t, needsRobot) {
		if strings.Contains(b.text, "mosquitto_") {
			if _, err := exec.LookPath("mosquitto_pub"); err != nil {
				t.Logf("%s: mosquitto_pub is not installed (make test-deps)", b.place)
				continue
			}
		}
		b.text = ports.Replace(b.text)
		runBlock(t, b, bin, workFolder(t, bin), "KUAI_CONFIG="+path)
	}
}

// startDaemon runs kuai and waits until it is ready.
func startDaemon(t *testing.T, program, configuration string) {
	t.Helper()
	var log lockedBuffer
	command := exec.Command(program, "run", "--config", configuration)
	command.Stdout, command.Stderr = &log, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	t.Cleanup(func() {
		if command.Process.Signal(syscall.SIGTERM) == nil {
			if err := <-ended; err != nil {
				var exit *exec.ExitError
				if !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
					t.Errorf("kuai run ended with %v\n%s", err, log.String())
				}
			}
		}
		if t.Failed() {
			t.Logf("kuai run said:\n%s", log.String())
		}
	})
	ready, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for kuai(ready, nil, "", "status", "--config", configuration).status != 0 {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("kuai run ended with %v\n%s", err, log.String())
		case <-ready.Done():
			t.Fatalf("kuai run is not ready:\n%s", log.String())
		default:
		}
	}
}

var testName = regexp.MustCompile("`(Test[A-Za-z0-9]+)(…?)`")

// A table that says which test shows something is worth what its tests are.
func TestTestsNamedInTheDocsExist(t *testing.T) {
	var code strings.Builder
	err := filepath.WalkDir(repository, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() && (strings.HasPrefix(entry.Name(), ".v") || entry.Name() == "node_modules" || entry.Name() == ".git") {
			return filepath.SkipDir
		}
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := os.ReadFile(path)
		code.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, path := range documents(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testName.FindAllStringSubmatch(string(data), -1) {
			named++
			end := "("
			if m[2] != "" {
				end = ""
			}
			if !strings.Contains(code.String(), "\nfunc "+m[1]+end) {
				t.Errorf("%s: there is no test %s", filepath.Base(path), m[1])
			}
		}
	}
	if named == 0 {
		t.Error("no document names a test")
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}
