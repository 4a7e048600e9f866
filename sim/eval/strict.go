package eval

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/kuai-robot/kuai/robot"
)

// unmarshal fills v from one JSON value. encoding/json by itself takes keys in
// any case, the last of two equal keys and whatever follows the value, and does
// not say which key it stumbled on.
func unmarshal(data []byte, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if err := walk(decoder, reflect.TypeOf(v).Elem(), ""); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	if err := json.Unmarshal(data, v); err != nil {
		var kind *json.UnmarshalTypeError
		if errors.As(err, &kind) {
			return fmt.Errorf("%s: cannot hold a %s", kind.Field, kind.Value)
		}
		return err
	}
	return nil
}

// walk reads one value of type t and checks its keys; path leads to it.
func walk(decoder *json.Decoder, t reflect.Type, path string) error {
	token, err := decoder.Token()
	if err != nil {
		return broken(decoder, err)
	}
	switch token {
	case json.Delim('{'):
		err = walkObject(decoder, t, path)
	case json.Delim('['):
		inner := t
		if t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) {
			inner = t.Elem()
		}
		for i := 0; decoder.More() && err == nil; i++ {
			err = walk(decoder, inner, fmt.Sprintf("%s[%d]", path, i))
		}
	default:
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := decoder.Token(); err != nil { // the closing } or ]
		return broken(decoder, err)
	}
	return nil
}

func walkObject(decoder *json.Decoder, t reflect.Type, path string) error {
	known := fields(t)
	if known == nil {
		return fmt.Errorf("%s: an object where a plain value belongs", path)
	}
	seen := map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return broken(decoder, err)
		}
		key := token.(string) // inside of an object the decoder gives no other
		inner, ok := known[key]
		switch {
		case !ok:
			return fmt.Errorf("%sunknown key %q (did you mean %q?)", in(path), key, robot.Nearest(key, names(t)))
		case seen[key]:
			return fmt.Errorf("%skey %q stands there twice", in(path), key)
		}
		seen[key] = true
		if err := walk(decoder, inner, strings.TrimPrefix(path+"."+key, ".")); err != nil {
			return err
		}
	}
	return nil
}

func in(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}

// fields gives the keys of a struct and their types; nil for another type.
func fields(t reflect.Type) map[string]reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(reflect.TypeFor[interface{ UnmarshalText([]byte) error }]()) {
		return nil
	}
	known := map[string]reflect.Type{}
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "-" {
			known[name] = t.Field(i).Type
		}
	}
	return known
}

func names(t reflect.Type) []string {
	var names []string
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "-" {
			names = append(names, name)
		}
	}
	return names
}

func broken(decoder *json.Decoder, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("broken JSON: the line ends too early")
	}
	return fmt.Errorf("broken JSON at byte %d: %w", decoder.InputOffset(), err)
}
