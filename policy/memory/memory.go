package memory

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// Bounds of a store.
const (
	MaxTold = 200
	MaxSeen = 500
	maxText = 600
	maxFile = 1 << 20
)

// Told is one thing that somebody said to be remembered.
type Told struct {
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

// Seen is where a thing was last.
type Seen struct {
	Name  string    `json:"name"`
	Place string    `json:"place"`
	At    time.Time `json:"at"`
}

// Content is all that is remembered.
type Content struct {
	Told []Told `json:"told"`
	Seen []Seen `json:"seen"`
}

// Config says where a store lies. All but Problem are required.
type Config struct {
	// File holds the sealed content, Key the key; both are made when they are
	// missing.
	File, Key string
	Clock     robot.Clock
	// Problem is told what went wrong while writing.
	Problem func(error)
}

// Store is an open memory.
type Store struct {
	config Config
	key    [keyBytes]byte

	mu      sync.Mutex
	content Content
}

// Open reads the store, or begins an empty one. A file that the key does not open
// is an error: nothing is thrown away.
func Open(c Config) (*Store, error) {
	if c.File == "" || c.Key == "" || c.Clock == nil {
		return nil, errors.New("memory: needs a file, a key file and a clock")
	}
	if c.Problem == nil {
		c.Problem = func(error) {}
	}
	s := &Store{config: c}
	if err := s.loadKey(); err != nil {
		return nil, err
	}
	info, err := os.Stat(c.File)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return s, nil
	case err != nil:
		return nil, fmt.Errorf("memory: %w", err)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("memory %s: %d bytes, at most %d (is it a memory?)", c.File, info.Size(), maxFile)
	}
	sealed, err := os.ReadFile(c.File)
	if err != nil {
		return nil, fmt.Errorf("memory: %w", err)
	}
	plain, ok := unseal(sealed, &s.key)
	if !ok {
		return nil, fmt.Errorf("memory %s: the key %s does not open it, or it was changed (bring back the key, or remove both: kuai memory forget --all)", c.File, c.Key)
	}
	if err := json.Unmarshal(plain, &s.content); err != nil {
		return nil, fmt.Errorf("memory %s: %w", c.File, err)
	}
	return s, nil
}

// Show gives a copy of all that is remembered.
func (s *Store) Show() Content {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Content{Told: slices.Clone(s.content.Told), Seen: slices.Clone(s.content.Seen)}
}

// Tell remembers what somebody said; the same again only renews it.
func (s *Store) Tell(text string, at robot.Time) {
	if text = strings.TrimSpace(text); text == "" {
		return
	}
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.content
	c.Told = slices.DeleteFunc(c.Told, func(t Told) bool { return t.Text == text })
	c.Told = append(c.Told, Told{text, s.wall(at)})
	if over := len(c.Told) - MaxTold; over > 0 {
		c.Told = slices.Clone(c.Told[over:])
	}
	s.write()
}

// Forget drops what was told last.
func (s *Store) Forget() (text string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.content.Told)
	if n == 0 {
		return "", false
	}
	text = s.content.Told[n-1].Text
	s.content.Told = s.content.Told[:n-1]
	s.write()
	return text, true
}

// ForgetWhere drops what was told and seen that mentions words, and says how much.
func (s *Store) ForgetWhere(words string) int {
	words = strings.ToLower(words)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.content
	before := len(c.Told) + len(c.Seen)
	c.Told = slices.DeleteFunc(c.Told, func(t Told) bool { return strings.Contains(strings.ToLower(t.Text), words) })
	c.Seen = slices.DeleteFunc(c.Seen, func(t Seen) bool { return strings.Contains(strings.ToLower(t.Name), words) })
	n := before - len(c.Told) - len(c.Seen)
	if n > 0 {
		s.write()
	}
	return n
}

// Likes gives what was told, newest first.
func (s *Store) Likes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for i := len(s.content.Told) - 1; i >= 0; i-- {
		all = append(all, s.content.Told[i].Text)
	}
	return all
}

// Seen gives where name, or the one thing of whose name it is a part, was last.
func (s *Store) Seen(name string) (place string, at robot.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.content.Seen {
		if t := &s.content.Seen[i]; name != "" && (t.Name == name || strings.HasSuffix(t.Name, " "+name) || strings.HasPrefix(t.Name, name+" ")) {
			return t.Place, robot.Time(t.At.Sub(s.config.Clock.Epoch())), true
		}
	}
	return "", 0, false
}

// Look notes where everything in scene is; it writes only when something has moved.
func (s *Store) Look(scene *robot.Scene) {
	if scene == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	moved := false
	for i := range scene.Objects {
		o := &scene.Objects[i]
		place := o.On + o.In
		if place == "" {
			continue
		}
		moved = s.note(Seen{o.Name, place, s.wall(scene.At)}) || moved
	}
	if moved {
		s.write()
	}
}

// note replaces what is known of a thing and says whether its place is new.
func (s *Store) note(n Seen) (moved bool) {
	seen := s.content.Seen
	if i := slices.IndexFunc(seen, func(t Seen) bool { return t.Name == n.Name }); i >= 0 {
		moved = seen[i].Place != n.Place
		seen[i] = n
		return moved
	}
	if len(seen) >= MaxSeen {
		oldest := 0
		for i := range seen {
			if seen[i].At.Before(seen[oldest].At) {
				oldest = i
			}
		}
		seen = slices.Delete(seen, oldest, oldest+1)
	}
	s.content.Seen = append(seen, n)
	return true
}

func (s *Store) wall(t robot.Time) time.Time {
	return s.config.Clock.Epoch().Add(time.Duration(t)).UTC().Truncate(time.Second)
}

// write seals the content and replaces the file.
func (s *Store) write() {
	if err := s.save(); err != nil {
		s.config.Problem(fmt.Errorf("memory %s: %w (what is new is kept until the end)", s.config.File, err))
	}
}

func (s *Store) save() error {
	plain, err := json.Marshal(&s.content)
	if err != nil {
		return err
	}
	sealed, err := seal(plain, &s.key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.config.File), 0o700); err != nil {
		return err
	}
	next := s.config.File + ".new"
	if err := os.WriteFile(next, sealed, 0o600); err != nil {
		return err
	}
	return os.Rename(next, s.config.File)
}
