package skill

import (
	"bytes"
	_ "embed" // for the built-in catalogues
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/kuai-robot/kuai/robot"
	"go.yaml.in/yaml/v3"
)

// Terminators are the characters that no phrase contains; a language model's
// step ends with one of them.
const Terminators = "\n,."

// Bounds of a catalogue, checked before anything is expanded.
const (
	maxFileBytes = 1 << 20
	maxSkills    = 256
	maxSlots     = 3
	maxOptions   = 4096
	maxNameBytes = 64
)

// Catalogue is the content of one catalogue file.
type Catalogue struct {
	Name   string     `yaml:"name"`
	Skills []Template `yaml:"skills"`
	// Nouns gives, for a kind of object or a word, what people call it.
	Nouns map[string][]string `yaml:"nouns"`
	// Colours are the words that tell objects of one kind apart.
	Colours []string `yaml:"colours"`
}

// Template is one skill with slots. Several templates may share a name when
// their slots differ.
type Template struct {
	Name    string            `yaml:"name"`
	Slots   []Slot            `yaml:"slots"`
	Phrase  string            `yaml:"phrase"`
	When    []robot.Predicate `yaml:"when"`
	Success []robot.Predicate `yaml:"success"`
	// Ends marks the one skill that moves nothing and closes the plan.
	Ends bool `yaml:"ends"`
}

// Slot says what may fill a {name}: objects of the kinds, or the words as they
// are.
type Slot struct {
	Name  string   `yaml:"name"`
	Kinds []string `yaml:"kinds"`
	Words []string `yaml:"words"`
}

//go:embed tabletop.yaml
var tabletop []byte

// Tabletop is the built-in catalogue of an arm at a table.
func Tabletop() *Catalogue {
	c, err := Read("tabletop.yaml", bytes.NewReader(tabletop))
	if err != nil {
		panic(err) // the file is part of the program and a test reads it
	}
	return c
}

//go:embed workbench.yaml
var workbench []byte

// Workbench is the built-in catalogue of an arm at a workbench.
func Workbench() *Catalogue {
	c, err := Read("workbench.yaml", bytes.NewReader(workbench))
	if err != nil {
		panic(err) // the file is part of the program and a test reads it
	}
	return c
}

//go:embed kitchen.yaml
var kitchen []byte

// Kitchen is the built-in catalogue of an arm on wheels in a household.
func Kitchen() *Catalogue {
	c, err := Read("kitchen.yaml", bytes.NewReader(kitchen))
	if err != nil {
		panic(err) // the file is part of the program and a test reads it
	}
	return c
}

// Read reads and checks a catalogue; name is what errors call it.
func Read(name string, r io.Reader) (*Catalogue, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("catalogue %s: %w", name, err)
	}
	if len(data) > maxFileBytes {
		return nil, fmt.Errorf("catalogue %s: longer than %d bytes", name, maxFileBytes)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return nil, fmt.Errorf("catalogue %s: %w", name, err)
	}
	if err := checkKeys(&root, reflect.TypeFor[Catalogue]()); err != nil {
		return nil, fmt.Errorf("catalogue %s: %w", name, err)
	}
	var c Catalogue
	if err := root.Decode(&c); err != nil {
		return nil, fmt.Errorf("catalogue %s: %w", name, err)
	}
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("catalogue %s: %w", name, err)
	}
	return &c, nil
}

func (c *Catalogue) validate() error {
	if len(c.Skills) == 0 || len(c.Skills) > maxSkills {
		return fmt.Errorf("%d skills, want 1 to %d", len(c.Skills), maxSkills)
	}
	var errs []error
	ends := 0
	for i := range c.Skills {
		t := &c.Skills[i]
		if err := t.validate(); err != nil {
			errs = append(errs, fmt.Errorf("skill %d (%s): %w", i, t.Name, err))
		}
		if t.Ends {
			ends++
		}
	}
	if ends != 1 {
		errs = append(errs, fmt.Errorf("%d skills have ends: true, want exactly one", ends))
	}
	return errors.Join(errs...)
}

func (t *Template) validate() error {
	switch {
	case !identifier(t.Name):
		return fmt.Errorf("name %q: want small letters, digits and _", t.Name)
	case t.Phrase == "" || t.Phrase != strings.TrimSpace(t.Phrase) || strings.ContainsAny(t.Phrase, Terminators):
		return fmt.Errorf("phrase %q: must not be empty, begin or end with a space, or contain a line break, comma or full stop", t.Phrase)
	case t.Ends && len(t.Slots) > 0:
		return errors.New("the skill that ends a plan takes no slots")
	case len(t.Slots) > maxSlots:
		return fmt.Errorf("%d slots, at most %d", len(t.Slots), maxSlots)
	}
	for i, s := range t.Slots {
		if !identifier(s.Name) || t.slot(s.Name) != i {
			return fmt.Errorf("slot %d (%q): the name is not an identifier or is used twice", i, s.Name)
		}
		if len(s.Kinds) == 0 && len(s.Words) == 0 {
			return fmt.Errorf("slot %s: needs kinds or words", s.Name)
		}
		for _, w := range s.Words {
			if !PlainName(w) {
				return fmt.Errorf("slot %s: word %q is not plain words", s.Name, w)
			}
		}
		if strings.Count(t.Phrase, "{"+s.Name+"}") != 1 {
			return fmt.Errorf("phrase %q: must name {%s} once", t.Phrase, s.Name)
		}
	}
	if n := strings.Count(t.Phrase, "{"); n != len(t.Slots) {
		return fmt.Errorf("phrase %q: has %d slots, the skill %d", t.Phrase, n, len(t.Slots))
	}
	for _, p := range slices.Concat(t.When, t.Success) {
		if err := t.validatePredicate(p); err != nil {
			return err
		}
	}
	return nil
}

func (t *Template) validatePredicate(p robot.Predicate) error {
	if err := p.Check(); err != nil {
		return err
	}
	for _, arg := range p.Args {
		if name, ok := slotName(arg); ok && t.slot(name) < 0 {
			return fmt.Errorf("predicate %s: the skill has no slot %q", p, name)
		}
	}
	return nil
}

// slot gives the index of the first slot called name, or -1.
func (t *Template) slot(name string) int {
	return slices.IndexFunc(t.Slots, func(s Slot) bool { return s.Name == name })
}

// slotName takes "{block}" apart.
func slotName(arg string) (string, bool) {
	inner, ok := strings.CutPrefix(arg, "{")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(inner, "}")
}

func identifier(s string) bool {
	if s == "" || len(s) > maxNameBytes {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' {
			return false
		}
	}
	return true
}

// PlainName says that s is one or a few words of letters, digits, hyphens and
// apostrophes with single spaces between, at most 64 bytes: a name that can
// stand in a prompt and say nothing else.
func PlainName(s string) bool {
	if s == "" || len(s) > maxNameBytes || s != strings.Join(strings.Fields(s), " ") {
		return false
	}
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" -'", r) {
			return false
		}
	}
	return true
}
