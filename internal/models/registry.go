package models

import (
	"bytes"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed registry.yaml
var registryYAML []byte

// Model is an entry of the registry.
type Model struct {
	Name    string `yaml:"name"`
	About   string `yaml:"about"`
	Licence string `yaml:"licence"`
	Files   []File `yaml:"files"`
}

// Size gives the bytes of all files together.
func (m *Model) Size() int64 {
	var n int64
	for i := range m.Files {
		n += m.Files[i].Size
	}
	return n
}

// File is one file of a model.
type File struct {
	Name    string   `yaml:"name"`
	Size    int64    `yaml:"size"` // bytes
	SHA256  string   `yaml:"sha256"`
	Sources []Source `yaml:"sources"`
}

// Source is one place a file comes from: either field is set.
type Source struct {
	// Hub is owner/repository/path on the model hub.
	Hub string `yaml:"hub"`
	// Packages are the Python packages whose members, joined, are the file.
	Packages []Member `yaml:"packages"`
}

// Member is a file inside the wheel of a Python package.
type Member struct {
	Package string `yaml:"package"` // name==version
	Member  string `yaml:"member"`
}

// Registry gives the models that this build knows.
func Registry() ([]Model, error) { return ParseRegistry(registryYAML) }

// ParseRegistry reads a registry file; unknown keys and entries that lack a
// name, size, checksum or source are errors.
func ParseRegistry(text []byte) ([]Model, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	var registry struct {
		Models []Model `yaml:"models"`
	}
	if err := decoder.Decode(&registry); err != nil {
		return nil, fmt.Errorf("model registry: %w", err)
	}
	seen := map[string]bool{}
	for i := range registry.Models {
		m := &registry.Models[i]
		if seen[m.Name] {
			return nil, fmt.Errorf("model registry: %s is listed twice", m.Name)
		}
		seen[m.Name] = true
		if err := m.check(); err != nil {
			return nil, fmt.Errorf("model registry: model %d (%s): %w", i, m.Name, err)
		}
	}
	return registry.Models, nil
}

func (m *Model) check() error {
	if !plainName(m.Name) || m.Licence == "" || len(m.Files) == 0 {
		return errors.New("needs a plain name, a licence and files")
	}
	for i := range m.Files {
		f := &m.Files[i]
		sum, err := hex.DecodeString(f.SHA256)
		if err != nil || len(sum) != 32 || f.Size <= 0 || !plainName(f.Name) || len(f.Sources) == 0 {
			return fmt.Errorf("file %q: needs a plain name, size, sha256 and sources", f.Name)
		}
		for _, s := range f.Sources {
			if (s.Hub == "") == (len(s.Packages) == 0) {
				return fmt.Errorf("file %s: a source is either hub or packages", f.Name)
			}
			if s.Hub != "" && strings.Count(s.Hub, "/") < 2 {
				return fmt.Errorf("file %s: hub %q is not owner/repository/path", f.Name, s.Hub)
			}
		}
	}
	return nil
}

// plainName says whether name stays in the folder it is joined to.
func plainName(name string) bool {
	return name != "" && name == filepath.Base(name) && !strings.HasPrefix(name, ".")
}
