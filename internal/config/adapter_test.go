package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/config"
)

func TestAdapterIsAWordOrAFolder(t *testing.T) {
	folder := t.TempDir()
	for value, want := range map[string]string{
		"auto": config.Auto, "none": config.None,
		"mine":   filepath.Join(folder, "mine"), // counts from the file's folder
		"/a/b c": "/a/b c",
	} {
		file := filepath.Join(folder, "kuai.yaml")
		if err := os.WriteFile(file, []byte("planner:\n  adapter: "+value+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		if c.Planner.Adapter != want {
			t.Errorf("adapter: %s is %q, want %q", value, c.Planner.Adapter, want)
		}
	}
	if _, err := config.Read("test", strings.NewReader("planner:\n  adapter: \"\"\n")); err == nil || !strings.Contains(err.Error(), "planner.adapter") {
		t.Errorf("an empty adapter: %v", err)
	}
}
