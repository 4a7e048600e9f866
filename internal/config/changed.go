package config

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// WriteChanged writes as YAML what differs from the default, and the keys of
// show, each under its comment: a file in which a person finds what is special
// about a robot. Read gives c back from it.
func (c *Config) WriteChanged(w io.Writer, show ...string) error {
	e := encoder{docs: comments()}
	e.changed(reflect.ValueOf(*c), reflect.ValueOf(Default()), "", show, 0)
	_, err := w.Write([]byte(strings.TrimLeft(e.out.String(), "\n")))
	return err
}

func (e *encoder) changed(v, usual reflect.Value, under string, show []string, depth int) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		path := join(under, keyOf(field))
		if reflect.DeepEqual(v.Field(i).Interface(), usual.Field(i).Interface()) && !shown(path, show) {
			continue
		}
		if depth == 0 {
			e.out.WriteByte('\n')
		}
		e.comment(e.docs[v.Type().Name()+"."+field.Name], depth)
		if v.Field(i).Kind() == reflect.Struct {
			fmt.Fprintf(&e.out, "%s%s:\n", strings.Repeat("  ", depth), keyOf(field))
			e.changed(v.Field(i), usual.Field(i), path, show, depth+1)
			continue
		}
		e.entry(keyOf(field), v.Field(i), depth)
	}
}

// shown says whether the key at path, or one below it, is among show.
func shown(path string, show []string) bool {
	return slices.ContainsFunc(show, func(s string) bool { return s == path || strings.HasPrefix(s, path+".") })
}
