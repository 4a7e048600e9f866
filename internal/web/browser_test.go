package web_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/web"
	"github.com/kuai-robot/kuai/robot"
)

// TestBrowser looks at the page with a real browser (make test-web brings what
// it needs). KUAI_SCREENSHOTS names a folder for pictures of what it saw.
func TestBrowser(t *testing.T) {
	const script = "../../web/test/page.mjs"
	chromium := "/usr/bin/chromium"
	if other := os.Getenv("CHROMIUM"); other != "" {
		chromium = other
	}
	for _, needed := range []string{"../../web/node_modules/playwright-core", chromium, script} {
		if _, err := os.Stat(needed); err != nil {
			t.Skipf("%s is not installed (make test-web)", filepath.Base(needed))
		}
	}
	address := listen(t)
	stop := serveFake(t, address)
	command := exec.CommandContext(t.Context(), "node", script, "http://"+address+"/", os.Getenv("KUAI_SCREENSHOTS"))
	command.Stderr = os.Stderr
	answers, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		switch line := lines.Text(); {
		case line == "restart":
			stop()
			stop = serveFake(t, address)
			fmt.Fprintln(answers, "restarted")
		case strings.HasPrefix(line, "FAILED"):
			t.Error(line)
		default:
			t.Log(line)
		}
	}
	if err := command.Wait(); err != nil {
		t.Error(err)
	}
	stop()
}

// listen gives a free address.
func listen(t *testing.T) string {
	t.Helper()
	s, err := web.New(newFake(robot.NewSystemClock()).options("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	return strings.Replace(strings.TrimPrefix(s.URL(), "http://"), "localhost", "127.0.0.1", 1)
}

// serveFake serves the made-up robot until stop is called.
func serveFake(t *testing.T, address string) (stop func()) {
	t.Helper()
	f := newFake(robot.NewSystemClock())
	s, err := web.New(f.options(address))
	if err != nil {
		t.Fatal(err)
	}
	f.server = s
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go f.run(ctx)
	go func() { done <- s.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
