package daemon

import (
	"fmt"
	"os"
	"testing"
)

// TestMain keeps the marks of robots that tests run out of the user's folders.
func TestMain(m *testing.M) {
	if os.Getenv(childConfig) != "" {
		os.Exit(m.Run()) // the parent has given it a folder
	}
	state, err := os.MkdirTemp("", "kuai-state")
	if err == nil {
		err = os.Setenv("XDG_STATE_HOME", state)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	_ = os.RemoveAll(state)
	os.Exit(status)
}
