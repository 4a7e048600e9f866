package lineage

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Current is the name of the link.
const Current = "current"

// recordName is the file of a version that says what it came from.
const recordName = "lineage.json"

// Record is what a version came from.
type Record struct {
	Version int       `json:"version"`
	Made    time.Time `json:"made"`
	// Kuai is the version of the program that made it.
	Kuai string `json:"kuai"`
	// From is what it was made of: a folder, or what came with kuai; FromHash is the
	// hash of its files.
	From     string `json:"from"`
	FromHash string `json:"from_sha256"`
	// Data is the folder of the episodes, DataHash the hash of its files.
	Data     string `json:"data"`
	DataHash string `json:"data_sha256"`
	// Settings and Metrics are what it was made with and what was measured.
	Settings map[string]any  `json:"settings,omitempty"`
	Metrics  json.RawMessage `json:"metrics,omitempty"`
}

// Store is a folder of versions.
type Store struct{ dir string }

// Open gives the store of a folder, which need not be there yet.
func Open(dir string) *Store { return &Store{dir: dir} }

// Path is the folder of a version.
func (s *Store) Path(version int) string { return filepath.Join(s.dir, name(version)) }

// CurrentPath is the link to the version that is in use.
func (s *Store) CurrentPath() string { return filepath.Join(s.dir, Current) }

func name(version int) string { return "v" + strconv.Itoa(version) }

// number reads v3; 0: it is no version.
func number(name string) int {
	digits, ok := strings.CutPrefix(name, "v")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 1 || name != "v"+strconv.Itoa(n) {
		return 0
	}
	return n
}

// Versions gives what is there, oldest first. A version whose record cannot be read
// is an error: it was damaged.
func (s *Store) Versions() ([]Record, error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Record
	for _, e := range entries {
		n := number(e.Name())
		if n == 0 || !e.IsDir() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(s.dir, e.Name(), recordName))
		if err != nil {
			return nil, err
		}
		var r Record
		if err := json.Unmarshal(data, &r); err != nil || r.Version != n {
			return nil, fmt.Errorf("%s: it is no record of version %d (%v)", filepath.Join(s.dir, e.Name(), recordName), n, err)
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b Record) int { return a.Version - b.Version })
	return all, nil
}

// Current gives the version in use, 0 where there is none.
func (s *Store) Current() (int, error) {
	target, err := os.Readlink(s.CurrentPath())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w (it must be a link to a version)", s.CurrentPath(), err)
	}
	if n := number(target); n > 0 {
		return n, nil
	}
	return 0, fmt.Errorf("%s: it leads to %q, which is no version", s.CurrentPath(), target)
}

// Add makes the next version of the files that fill writes into an empty folder,
// and takes it into use.
func (s *Store) Add(fill func(dir string) (Record, error)) (r Record, err error) {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return r, err
	}
	all, err := s.Versions()
	if err != nil {
		return r, err
	}
	part, err := os.MkdirTemp(s.dir, ".part-")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(part)
	if r, err = fill(part); err != nil {
		return r, err
	}
	r.Version = 1
	if len(all) > 0 {
		r.Version = all[len(all)-1].Version + 1
	}
	data, err := json.MarshalIndent(r, "", " ")
	if err == nil {
		err = errors.Join(os.WriteFile(filepath.Join(part, recordName), append(data, '\n'), 0o644), os.Chmod(part, 0o755))
	}
	if err == nil {
		err = os.Rename(part, s.Path(r.Version))
	}
	if err != nil {
		return r, err
	}
	return r, s.Use(r.Version)
}

// Use takes a version into use.
func (s *Store) Use(version int) error {
	if _, err := os.Stat(filepath.Join(s.Path(version), recordName)); err != nil {
		return fmt.Errorf("version %d: %w", version, err)
	}
	link := filepath.Join(s.dir, ".current")
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(name(version), link); err != nil {
		return err
	}
	return os.Rename(link, s.CurrentPath())
}

// ErrFirst says that there is no version before the one in use.
var ErrFirst = errors.New("there is no version before it")

// Back takes the version before the one in use into use again, and gives it.
func (s *Store) Back() (int, error) {
	now, err := s.Current()
	if err != nil {
		return 0, err
	}
	all, err := s.Versions()
	if err != nil {
		return 0, err
	}
	before := 0
	for _, r := range all {
		if r.Version < now {
			before = r.Version
		}
	}
	if before == 0 {
		return 0, fmt.Errorf("%s: version %d is in use: %w", s.dir, now, ErrFirst)
	}
	return before, s.Use(before)
}

// Hash gives the SHA-256 of the files of a folder: of their names and of what is in
// them, in the order of their names.
func Hash(folder fs.FS) (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(folder, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		file, err := folder.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		one := sha256.New()
		if _, err := io.Copy(one, file); err != nil {
			return err
		}
		_, err = fmt.Fprintf(sum, "%x %s\n", one.Sum(nil), path)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}
