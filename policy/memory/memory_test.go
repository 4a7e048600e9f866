package memory_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/policy/memory"
	"github.com/kuai-robot/kuai/robot"
)

func open(t *testing.T, dir string) (*memory.Store, error) {
	t.Helper()
	return memory.Open(memory.Config{File: filepath.Join(dir, "memory"), Key: filepath.Join(dir, "key"), Clock: robot.NewSystemClock(), Problem: func(err error) { t.Error(err) }})
}

func must(t *testing.T, dir string) *memory.Store {
	t.Helper()
	s, err := open(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRemembersAndForgets(t *testing.T) {
	dir := t.TempDir()
	s := must(t, dir)
	s.Tell("i like my tea in the blue mug", 1)
	s.Tell("i like green apples", 2)
	s.Tell(" ", 3)
	s.Look(&robot.Scene{At: 4, Objects: []robot.Object{{Name: "blue mug", On: "shelf"}, {Name: "cola can", Held: true}}})
	s = must(t, dir) // as after a restart
	if got := strings.Join(s.Likes(), "; "); got != "i like green apples; i like my tea in the blue mug" {
		t.Errorf("likes %s", got)
	}
	if place, _, ok := s.Seen("mug"); !ok || place != "shelf" {
		t.Errorf("the mug was seen at %q, %v", place, ok)
	}
	if _, _, ok := s.Seen("cola can"); ok {
		t.Error("what is held is at no place")
	}
	if text, ok := s.Forget(); !ok || text != "i like green apples" {
		t.Errorf("forgot %q", text)
	}
	if n := s.ForgetWhere("MUG"); n != 2 {
		t.Errorf("forgot %d about the mug, want what was told and seen", n)
	}
	if _, ok := s.Forget(); ok {
		t.Error("there was nothing left to forget")
	}
	if c := must(t, dir).Show(); len(c.Told)+len(c.Seen) != 0 {
		t.Errorf("on disk is still %+v", c)
	}
}

func TestIsBounded(t *testing.T) {
	s := must(t, t.TempDir())
	for i := range memory.MaxTold + 5 {
		s.Tell(fmt.Sprint("number ", i), robot.Time(i))
	}
	if c := s.Show(); len(c.Told) != memory.MaxTold || c.Told[0].Text != "number 5" {
		t.Errorf("%d told, the first %+v", len(c.Told), c.Told[0])
	}
	s.Tell(strings.Repeat("快", 1000), 1)
	if n := len(s.Likes()[0]); n > 600 {
		t.Errorf("a saying of %d bytes", n)
	}
}

func TestOnDiskNothingCanBeRead(t *testing.T) {
	dir := t.TempDir()
	must(t, dir).Tell("my secret is the blue mug", 1)
	file, key := filepath.Join(dir, "memory"), filepath.Join(dir, "key")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte("mug")) {
		t.Error("the file can be read without the key")
	}
	for _, name := range []string{file, key} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
	secret, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	changed := bytes.Clone(data)
	changed[len(changed)-1] ^= 1
	for _, tc := range []struct {
		what  string
		spoil func() error
	}{
		{"a changed byte", func() error { write(file, changed); return nil }},
		{"a short file", func() error { write(file, data[:10]); return nil }},
		{"an open key", func() error { return os.Chmod(key, 0o644) }},
		{"another key", func() error { write(key, make([]byte, 32)); return nil }},
		{"a short key", func() error { write(key, []byte("x")); return nil }},
		{"no key", func() error { return os.Remove(key) }},
	} {
		if err := tc.spoil(); err != nil {
			t.Fatal(err)
		}
		if _, err := open(t, dir); err == nil {
			t.Errorf("%s was not noticed", tc.what)
		}
		write(file, data)
		write(key, secret)
		if err := os.Chmod(key, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	must(t, dir)
}
