package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/daemon"
	"github.com/kuai-robot/kuai/robot"
)

func TestMemoryShowsAndForgets(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "robot.yaml")
	if err := os.WriteFile(file, []byte("memory: {on: true, file: memory, key_file: key}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := daemon.OpenMemory(&c.Memory, robot.NewSystemClock(), func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	s.Tell("i like the blue mug", 1)
	for _, tc := range []struct{ args, says string }{
		{"memory show", "i like the blue mug"},
		{"memory forget mug", "forgot 1"},
		{"memory show", "nothing is remembered"},
		{"memory forget --all", "forgot everything"},
	} {
		got := kuai(t.Context(), nil, "", append([]string{"--config", file}, strings.Fields(tc.args)...)...)
		if got.status != 0 || !strings.Contains(got.out, tc.says) {
			t.Errorf("%s: %+v, want %q", tc.args, got, tc.says)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "key")); err == nil {
		t.Error("the key is still there")
	}
}
