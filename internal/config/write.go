package config

import (
	"bytes"
	_ "embed" // for the comments of schema.go
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

//go:embed schema.go
var schema []byte

// lineWidth is where comments are broken.
const lineWidth = 80

// Write writes c as YAML, every key under its comment.
func (c *Config) Write(w io.Writer) error {
	e := encoder{docs: comments()}
	e.section(reflect.ValueOf(*c), 0)
	_, err := w.Write(bytes.TrimLeft(e.out.Bytes(), "\n"))
	return err
}

// Key is one key of the file, for documentation.
type Key struct {
	// Path is the whole key, "sim.camera.width"; entries of lists are
	// "cameras[].name".
	Path string
	// Default is its value in YAML; empty for a section and for what every
	// entry of a list must say.
	Default string
	Doc     string
	// Section says that keys below this one follow.
	Section bool
}

// Keys lists every key in the order of the file.
func Keys() []Key {
	return keysOf(reflect.ValueOf(Default()), "", comments())
}

func keysOf(v reflect.Value, under string, docs map[string]string) []Key {
	var all []Key
	for i := range v.NumField() {
		field, inner := v.Type().Field(i), v.Field(i)
		k := Key{Path: join(under, keyOf(field)), Doc: docs[v.Type().Name()+"."+field.Name]}
		switch {
		case inner.Kind() == reflect.Struct:
			k.Section = true
			all = append(append(all, k), keysOf(inner, k.Path, docs)...)
		case inner.Kind() == reflect.Slice && inner.Type().Elem().Kind() == reflect.Struct:
			k.Section = true
			entry := reflect.New(inner.Type().Elem())
			if fresh, ok := entry.Interface().(defaulter); ok {
				fresh.setDefaults()
			}
			all = append(append(all, k), keysOf(entry.Elem(), k.Path+"[]", docs)...)
		default:
			k.Default = scalarText(inner)
			all = append(all, k)
		}
	}
	return all
}

// comments gives the comment of each field of schema.go, "Sim.Seed".
var comments = sync.OnceValue(func() map[string]string {
	file, err := parser.ParseFile(token.NewFileSet(), "schema.go", schema, parser.ParseComments)
	if err != nil {
		panic(err) // the file is part of the program, which would not have compiled
	}
	docs := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if structure, ok := spec.Type.(*ast.StructType); ok {
			for _, field := range structure.Fields.List {
				docs[spec.Name.Name+"."+field.Names[0].Name] = strings.TrimSpace(field.Doc.Text())
			}
		}
		return false
	})
	return docs
})

// encoder writes YAML by hand, because comments and blank lines are half of it.
type encoder struct {
	out  bytes.Buffer
	docs map[string]string
}

func (e *encoder) section(v reflect.Value, depth int) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if depth == 0 {
			e.out.WriteByte('\n')
		}
		e.comment(e.docs[v.Type().Name()+"."+field.Name], depth)
		e.entry(keyOf(field), v.Field(i), depth)
	}
}

func (e *encoder) entry(key string, v reflect.Value, depth int) {
	indent := strings.Repeat("  ", depth)
	switch {
	case v.Kind() == reflect.Struct:
		fmt.Fprintf(&e.out, "%s%s:\n", indent, key)
		e.section(v, depth+1)
	case v.Kind() == reflect.Slice && v.Len() > 0 && v.Index(0).Kind() == reflect.Struct:
		fmt.Fprintf(&e.out, "%s%s:\n", indent, key)
		for i := range v.Len() {
			e.item(v.Index(i), depth+1, i == 0)
		}
	default:
		fmt.Fprintf(&e.out, "%s%s: %s\n", indent, key, scalarText(v))
	}
}

// item writes an entry of a list; the first carries the comments for all.
func (e *encoder) item(v reflect.Value, depth int, commented bool) {
	indent := strings.Repeat("  ", depth)
	if commented {
		fmt.Fprintf(&e.out, "%s-\n", indent)
		e.section(v, depth+1)
		return
	}
	dash := "- "
	for i := range v.NumField() {
		fmt.Fprintf(&e.out, "%s%s%s: %s\n", indent, dash, keyOf(v.Type().Field(i)), scalarText(v.Field(i)))
		dash = "  "
	}
}

// scalarText gives a value, or a list of texts, on one line of YAML.
func scalarText(v reflect.Value) string {
	switch value := v.Interface().(type) {
	case string:
		return quoted(value)
	case []string:
		all := make([]string, len(value))
		for i := range value {
			all[i] = quoted(value[i])
		}
		return "[" + strings.Join(all, ", ") + "]"
	case float64:
		return strconv.FormatFloat(value, 'g', -1, 64)
	}
	if v.Kind() == reflect.Slice {
		return "[]"
	}
	return fmt.Sprint(v.Interface())
}

var plainWord = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_-]+$`)

// quoted writes s so that YAML reads it back: Go's escapes are among YAML's.
func quoted(s string) string {
	switch strings.ToLower(s) {
	case "yes", "no", "on", "off", "true", "false", "null":
		return strconv.Quote(s)
	}
	if plainWord.MatchString(s) {
		return s
	}
	return strconv.Quote(s)
}

// comment breaks doc into lines; those that are indented stay as they are.
func (e *encoder) comment(doc string, depth int) {
	indent := strings.Repeat("  ", depth)
	line := ""
	flush := func() {
		if line != "" {
			fmt.Fprintf(&e.out, "%s#%s\n", indent, line)
		}
		line = ""
	}
	for _, text := range strings.Split(doc, "\n") {
		if strings.HasPrefix(text, " ") || strings.HasPrefix(text, "\t") {
			flush()
			fmt.Fprintf(&e.out, "%s#%s\n", indent, text)
			continue
		}
		for _, word := range strings.Fields(text) {
			if utf8.RuneCountInString(indent+"#"+line+" "+word) > lineWidth {
				flush()
			}
			line += " " + word
		}
	}
	flush()
}

// Values gives c as nested maps under the keys of the file, for other formats.
func (c *Config) Values() (map[string]any, error) {
	var out bytes.Buffer
	if err := c.Write(&out); err != nil {
		return nil, err
	}
	values := map[string]any{}
	if err := yaml.Unmarshal(out.Bytes(), &values); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return values, nil
}
