package models_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/internal/models"
)

const content = "the weights of a very small model"

// entry describes content as a file of a model.
func entry(name, content string, sources ...models.Source) models.File {
	sum := sha256.Sum256([]byte(content))
	return models.File{Name: name, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]), Sources: sources}
}

// store knows one model, "tiny", of the given files, and no network.
func store(t *testing.T, files ...models.File) *models.Store {
	return &models.Store{Dir: t.TempDir(), Client: &http.Client{}, Stall: time.Minute,
		Models: []models.Model{{Name: "tiny", Licence: "MIT", Files: files}}}
}

func hub() models.Source { return models.Source{Hub: "owner/repository/model.bin"} }

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// pulled checks that the model is there, whole, with nothing left beside it.
func pulled(t *testing.T, s *models.Store) {
	t.Helper()
	if err := s.Pull(t.Context(), "tiny", nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(t.Context(), "tiny"); err != nil {
		t.Error(err)
	}
	dir, err := s.Find("tiny")
	if err != nil {
		t.Fatal(err)
	}
	m, _ := s.Model("tiny")
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		known := e.Name() == ".lock"
		for _, f := range m.Files {
			known = known || e.Name() == f.Name
		}
		if !known {
			t.Errorf("%s was left behind", e.Name())
		}
	}
}

// refused checks that Pull fails with all of the given words and leaves no
// file under the model's name.
func refused(t *testing.T, s *models.Store, words ...string) {
	t.Helper()
	err := s.Pull(t.Context(), "tiny", nil)
	for _, w := range words {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("error %v, want one with %q", err, w)
		}
	}
	if _, err := os.Stat(s.Path("tiny", "model.bin")); err == nil {
		t.Error("a file stands there under its name")
	}
}

func TestPullFromAFolder(t *testing.T) {
	for name, path := range map[string]string{"flat": "model.bin", "in a folder of the model": "tiny/model.bin"} {
		t.Run(name, func(t *testing.T) {
			s := store(t, entry("model.bin", content, hub()))
			s.From = t.TempDir()
			write(t, filepath.Join(s.From, path), content)
			pulled(t, s)
		})
	}
}

func TestWhatIsWholeIsNotFetchedAgain(t *testing.T) {
	s := store(t, entry("model.bin", content, hub()))
	write(t, s.Path("tiny", "model.bin"), content)
	var said []models.Progress
	if err := s.Pull(t.Context(), "tiny", func(p models.Progress) { said = append(said, p) }); err != nil {
		t.Fatal(err)
	}
	want := models.Progress{Model: "tiny", File: "model.bin", Source: "here", Done: int64(len(content)), Total: int64(len(content))}
	if len(said) != 1 || said[0] != want {
		t.Errorf("progress %+v, want %+v", said, want)
	}
}

func TestADamagedFileIsFetchedAgain(t *testing.T) {
	s := store(t, entry("model.bin", content, hub()))
	s.From = t.TempDir()
	write(t, filepath.Join(s.From, "model.bin"), content)
	write(t, s.Path("tiny", "model.bin"), strings.ToUpper(content))
	if err := s.Verify(t.Context(), "tiny"); err == nil || !strings.Contains(err.Error(), "SHA-256") || !strings.Contains(err.Error(), "kuai models pull tiny") {
		t.Errorf("error %v, want the checksum and what to do", err)
	}
	pulled(t, s)
}

func TestFindSaysWhatToDo(t *testing.T) {
	s := store(t, entry("model.bin", content, hub()))
	missing := func(want string) {
		t.Helper()
		_, err := s.FindFile("tiny")
		for _, w := range []string{want, "kuai models pull tiny"} {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("error %v, want one with %q", err, w)
			}
		}
	}
	missing("is not in " + s.Dir)
	write(t, s.Path("tiny", "model.bin"), "abc")
	missing("has 3 bytes, want 33")
	if _, err := s.Find("huge"); err == nil || !strings.Contains(err.Error(), "has tiny") {
		t.Errorf("error %v, want the names there are", err)
	}
	write(t, s.Path("tiny", "model.bin"), content)
	if path, err := s.FindFile("tiny"); err != nil || path != s.Path("tiny", "model.bin") {
		t.Errorf("FindFile = %q, %v", path, err)
	}
}

func TestFullDisk(t *testing.T) {
	t.Run("known before", func(t *testing.T) {
		f := entry("model.bin", content, hub())
		f.Size = 1 << 60
		s := store(t, f)
		s.From = t.TempDir()
		refused(t, s, "no space left", "KUAI_MODELS")
	})
	t.Run("while writing", func(t *testing.T) {
		s := store(t, entry("model.bin", content, hub()))
		s.From = t.TempDir()
		write(t, filepath.Join(s.From, "model.bin"), content)
		write(t, s.Path("tiny", ".packages/old.whl"), "room that could be had")
		part := s.Path("tiny", "model.bin.part")
		if err := os.Symlink("/dev/full", part); err != nil {
			t.Fatal(err)
		}
		refused(t, s, "no space left", "KUAI_MODELS")
		for _, left := range []string{part, s.Path("tiny", ".packages")} {
			if _, err := os.Lstat(left); err == nil {
				t.Errorf("%s still takes space", left)
			}
		}
	})
}

func TestTwoPullsAtOnce(t *testing.T) {
	s := store(t, entry("model.bin", content, hub()))
	s.From = t.TempDir()
	write(t, filepath.Join(s.From, "model.bin"), content)
	write(t, s.Path("tiny", ".lock"), "")
	other, err := os.Open(s.Path("tiny", ".lock"))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(other.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	refused(t, s, "another kuai")
	other.Close()
	pulled(t, s)
}

func TestCancelledPullSaysSo(t *testing.T) {
	s := store(t, entry("model.bin", content, hub()))
	s.From = t.TempDir()
	write(t, filepath.Join(s.From, "model.bin"), content)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Pull(ctx, "tiny", nil); err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("error %v", err)
	}
}

func TestDefaultDir(t *testing.T) {
	for _, c := range []struct{ kuai, xdg, want string }{
		{"/a", "/b", "/a"},
		{"", "/b", "/b/kuai/models"},
		{"", "relative", "/home/x/.local/share/kuai/models"},
		{"", "", "/home/x/.local/share/kuai/models"},
	} {
		t.Setenv("HOME", "/home/x")
		t.Setenv("KUAI_MODELS", c.kuai)
		t.Setenv("XDG_DATA_HOME", c.xdg)
		if got, err := models.DefaultDir(); err != nil || got != c.want {
			t.Errorf("%+v: got %q, %v", c, got, err)
		}
	}
}
