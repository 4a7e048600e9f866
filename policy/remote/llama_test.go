package remote_test

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/policy/remote"
	"github.com/kuai-robot/kuai/policy/saycan"
	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/robot"
)

// The server of llama.cpp chooses, with a model of its own, among what is offered, and
// what it chooses is accepted; when it is gone the local planner decides. make
// test-llama says where Python with llama-cpp-python[server] and a GGUF file are.
func TestLlamaServer(t *testing.T) {
	python, gguf := os.Getenv("KUAI_LLAMA_PYTHON"), os.Getenv("KUAI_LLAMA_GGUF")
	if python == "" || gguf == "" {
		t.Skip("llama-cpp-python[server] and a GGUF file are not named by KUAI_LLAMA_PYTHON and KUAI_LLAMA_GGUF (make test-llama)")
	}
	url, stop := llamaServer(t, python, gguf)
	defer stop()
	l, problems := &local{}, []error{}
	p, err := remote.New(remote.Config{
		URL: url, Model: "smollm2", Catalogue: skill.Tabletop(), Affordance: sure{}, Local: l, Clock: robot.NewSystemClock(), Timeout: 5 * time.Minute,
		Grammar: true, Problem: func(err error) { problems = append(problems, err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, only := range [][]robot.Skill{nil, {{Name: "pick", Args: []string{"red block"}}}, {{Name: "home"}, {Name: "pick", Args: []string{"red block"}}}} {
		d, err := p.Decide(context.Background(), observation(), saycan.Request{Instruction: "pick up the red block", Only: only})
		if err != nil || l.calls != 0 || len(problems) != 0 || !strings.HasPrefix(d.Why, "smollm2 chose") {
			t.Fatalf("of %v: %q, %v, %d local, %v", only, d.Why, err, l.calls, problems)
		}
		t.Logf("of %d options that are possible: %s in %s", d.Possible, d.Chosen.Skill, d.Took)
	}
	stop()
	if d, err := p.Decide(context.Background(), observation(), saycan.Request{Instruction: "pick up the red block"}); err != nil || d.Why != "local" || len(problems) != 1 {
		t.Errorf("with no server: %q, %v, %v", d.Why, err, problems)
	}
}

// llamaServer starts one on a free port and waits until it says that it listens.
func llamaServer(t *testing.T, python, gguf string) (url string, stop func()) {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(free.Addr().String())
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	c := exec.CommandContext(ctx, python, "-m", "llama_cpp.server", "--model", gguf, "--host", "127.0.0.1", "--port", port, "--n_ctx", "2048", "--n_threads", "2")
	says, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			_ = c.Wait() // it was killed
		}
	}
	var last []string
	for lines := bufio.NewScanner(says); lines.Scan(); {
		if strings.Contains(lines.Text(), "Uvicorn running on") {
			go func() {
				for lines.Scan() { // so that it never waits for a reader
				}
			}()
			return "http://127.0.0.1:" + port + "/v1", stop
		}
		last = append(last, lines.Text())
	}
	stop()
	t.Fatalf("%s -m llama_cpp.server ended: %s", python, strings.Join(last[max(0, len(last)-5):], "\n"))
	return "", nil
}
