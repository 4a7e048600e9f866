package lineage

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"
)

func add(t *testing.T, s *Store, text string) Record {
	t.Helper()
	r, err := s.Add(func(dir string) (Record, error) {
		return Record{Made: time.Unix(1, 0).UTC(), From: text}, os.WriteFile(filepath.Join(dir, "it"), []byte(text), 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func current(t *testing.T, s *Store) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.CurrentPath(), "it"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestVersions(t *testing.T) {
	s := Open(filepath.Join(t.TempDir(), "own"))
	if n, err := s.Current(); n != 0 || err != nil {
		t.Fatalf("an empty store has %d, %v", n, err)
	}
	if _, err := s.Back(); !errors.Is(err, ErrFirst) {
		t.Errorf("back from nothing: %v", err)
	}
	for i, text := range []string{"one", "two", "three"} {
		if r := add(t, s, text); r.Version != i+1 || current(t, s) != text {
			t.Fatalf("version %d is current, and has %q", r.Version, current(t, s))
		}
	}
	if n, err := s.Back(); n != 2 || err != nil || current(t, s) != "two" {
		t.Fatalf("back to %d (%v): %q", n, err, current(t, s))
	}
	// A number is not used again.
	if r := add(t, s, "four"); r.Version != 4 {
		t.Errorf("the next is %d", r.Version)
	}
	if err := s.Use(1); err != nil || current(t, s) != "one" {
		t.Errorf("use 1: %v", err)
	}
	if _, err := s.Back(); !errors.Is(err, ErrFirst) {
		t.Errorf("back from the first: %v", err)
	}
	if s.Use(9) == nil || current(t, s) != "one" {
		t.Error("a version that is not there is taken into use")
	}
	all, err := s.Versions()
	if err != nil || len(all) != 4 || all[3].From != "four" {
		t.Errorf("%v, %v", all, err)
	}
}

// What fails leaves nothing, and the version in use stays.
func TestFailureLeavesTheOneBefore(t *testing.T) {
	dir := t.TempDir()
	s := Open(dir)
	add(t, s, "one")
	broken := errors.New("broken")
	if _, err := s.Add(func(string) (Record, error) { return Record{}, broken }); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 || current(t, s) != "one" {
		t.Errorf("left: %v, %v", entries, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "v1", recordName), []byte(`{"version":7}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Versions(); err == nil {
		t.Error("a record of another version is accepted")
	}
}

func TestHash(t *testing.T) {
	of := func(files fstest.MapFS) string {
		h, err := Hash(files)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	a := of(fstest.MapFS{"a": {Data: []byte("x")}, "b/c": {Data: []byte("y")}})
	if a != of(fstest.MapFS{"b/c": {Data: []byte("y")}, "a": {Data: []byte("x")}}) {
		t.Error("the same files have two hashes")
	}
	for name, other := range map[string]fstest.MapFS{
		"other text": {"a": {Data: []byte("x")}, "b/c": {Data: []byte("z")}},
		"other name": {"a": {Data: []byte("x")}, "b/d": {Data: []byte("y")}},
		"fewer":      {"a": {Data: []byte("x")}},
	} {
		if of(other) == a {
			t.Errorf("%s: the same hash", name)
		}
	}
}
