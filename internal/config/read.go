package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/kuai-robot/kuai/robot"
	"go.yaml.in/yaml/v3"
)

// maxFileBytes bounds what is read of a file.
const maxFileBytes = 1 << 20

// Load reads the file at path; an empty path gives Default.
func Load(path string) (Config, error) {
	if path == "" {
		return Default(), nil
	}
	file, err := os.Open(path)
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w (kuai config prints one to start from)", err)
	}
	defer file.Close()
	c, err := Read(path, file)
	if err != nil {
		return Config{}, err
	}
	if err := c.resolve(filepath.Dir(path)); err != nil {
		return Config{}, err
	}
	return c, nil
}

// Read reads a configuration; name is what errors call it. Keys that are not
// there keep their default.
func Read(name string, r io.Reader) (Config, error) {
	c := Default()
	d := decoder{lines: map[string]int{}}
	if err := d.read(name, r, &c); err != nil {
		return Config{}, err
	}
	for _, p := range c.problems() {
		d.fail(d.lines[p.key], p.key, "%s", p.why)
	}
	if len(d.errs) > 0 {
		return Config{}, fmt.Errorf("configuration %s: %w", name, errors.Join(d.errs...))
	}
	return c, nil
}

// LoadDescription reads a robot's description, with the same strictness.
func LoadDescription(path string) (*robot.Description, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("robot description: %w (see docs/own-robot.md)", err)
	}
	defer file.Close()
	return ReadDescription(path, file)
}

// ReadDescription reads a robot's description from r; name is what errors
// call it.
func ReadDescription(name string, r io.Reader) (*robot.Description, error) {
	var description robot.Description
	d := decoder{lines: map[string]int{}}
	if err := d.read(name, r, &description); err != nil {
		return nil, err
	}
	if len(d.errs) == 0 {
		d.errs = append(d.errs, description.Validate())
	}
	if err := errors.Join(d.errs...); err != nil {
		return nil, fmt.Errorf("robot description %s: %w", name, err)
	}
	return &description, nil
}

// decoder walks a document beside the value that it fills. It goes on after an
// error, so that a person sees all of them.
type decoder struct {
	errs  []error
	lines map[string]int // of each key, "sim.camera.width"
}

// read parses r and fills into, a pointer to a struct. Its own error is one
// that left nothing to walk.
func (d *decoder) read(name string, r io.Reader, into any) error {
	data, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return fmt.Errorf("configuration %s: %w", name, err)
	}
	if len(data) > maxFileBytes {
		return fmt.Errorf("configuration %s: longer than %d bytes", name, maxFileBytes)
	}
	var root, more yaml.Node
	documents := yaml.NewDecoder(strings.NewReader(string(data)))
	err = documents.Decode(&root)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil && !errors.Is(documents.Decode(&more), io.EOF) {
		err = errors.New("a second document follows the first (remove what stands after ---)")
	}
	if err != nil {
		return fmt.Errorf("configuration %s: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	d.value(root.Content[0], reflect.ValueOf(into).Elem(), "")
	return nil
}

func (d *decoder) fail(line int, key, format string, args ...any) {
	where := key
	if line > 0 {
		where = fmt.Sprintf("line %d: %s", line, key)
	}
	d.errs = append(d.errs, fmt.Errorf("%s: %s", strings.TrimSuffix(where, ": "), fmt.Sprintf(format, args...)))
}

// value fills v, at key, from node.
func (d *decoder) value(node *yaml.Node, v reflect.Value, key string) {
	d.lines[key] = node.Line
	switch {
	case node.Kind == yaml.AliasNode || node.Anchor != "":
		d.fail(node.Line, key, "anchors and aliases are not used here")
	case v.Kind() == reflect.Struct:
		d.section(node, v, key)
	case node.Tag == "!!null":
		d.fail(node.Line, key, "has no value (remove the line for the default)")
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Array:
		d.list(node, v, key)
	default:
		d.scalar(node, v, key)
	}
}

// section fills a struct. One without any key may have all of them commented
// out.
func (d *decoder) section(node *yaml.Node, v reflect.Value, key string) {
	if node.Tag == "!!null" {
		return
	}
	if node.Kind != yaml.MappingNode {
		d.fail(node.Line, key, "must hold keys such as %q", names(v.Type())[0])
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i]
		inner := join(key, name.Value)
		field := fieldOf(v, name.Value)
		switch {
		case name.Kind != yaml.ScalarNode || name.Anchor != "":
			d.fail(name.Line, key, "a key must be a plain word")
		case !field.IsValid():
			d.fail(name.Line, clip(inner), "unknown key (did you mean %s?)", join(key, robot.Nearest(clip(name.Value), names(v.Type()))))
		case seen[name.Value]:
			d.fail(name.Line, inner, "stands there twice")
		default:
			seen[name.Value] = true
			d.value(node.Content[i+1], field, inner)
		}
	}
}

func (d *decoder) list(node *yaml.Node, v reflect.Value, key string) {
	if node.Kind != yaml.SequenceNode {
		d.fail(node.Line, key, "must be a list ([] for none)")
		return
	}
	if v.Kind() == reflect.Array && len(node.Content) != v.Len() {
		d.fail(node.Line, key, "must be a list of %d numbers", v.Len())
		return
	}
	if v.Kind() == reflect.Slice {
		v.Set(reflect.MakeSlice(v.Type(), len(node.Content), len(node.Content)))
	}
	for i, item := range node.Content {
		if fresh, ok := v.Index(i).Addr().Interface().(defaulter); ok {
			fresh.setDefaults()
		}
		d.value(item, v.Index(i), fmt.Sprintf("%s[%d]", key, i))
	}
}

// defaulter is an entry of a list whose keys have defaults other than nothing.
type defaulter interface{ setDefaults() }

func (c *Camera) setDefaults() { c.Freeze = defaultFreeze }

func (d *decoder) scalar(node *yaml.Node, v reflect.Value, key string) {
	fits := node.Kind == yaml.ScalarNode && node.ShortTag() != "!!binary"
	if v.CanInt() && v.Type() != reflect.TypeFor[time.Duration]() {
		fits = fits && node.ShortTag() == "!!int" // the library would cut 1.5 to 1
	}
	if !fits || node.Decode(v.Addr().Interface()) != nil {
		d.fail(node.Line, key, "%q is not %s", clip(node.Value), kind(v.Type()))
	}
}

// kind says in words what a value of type t looks like.
func kind(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "a duration such as 200ms or 1.5s"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Int:
		return "a whole number"
	case t.Kind() == reflect.Uint64:
		return "a whole number, 0 or more"
	case t.Kind() == reflect.Float64:
		return "a number"
	}
	return "a text"
}

func fieldOf(v reflect.Value, name string) reflect.Value {
	for i := range v.NumField() {
		if keyOf(v.Type().Field(i)) == name {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}

func names(t reflect.Type) []string {
	all := make([]string, t.NumField())
	for i := range all {
		all[i] = keyOf(t.Field(i))
	}
	return all
}

func keyOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

func join(section, key string) string {
	if section == "" {
		return key
	}
	return section + "." + key
}

// clip keeps what a stranger wrote from filling the terminal.
func clip(s string) string {
	if len(s) <= 60 {
		return s
	}
	return strings.ToValidUTF8(s[:60], "") + "…"
}
