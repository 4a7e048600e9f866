package skill

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/kuai-robot/kuai/robot"
	"go.yaml.in/yaml/v3"
)

// checkKeys walks a document beside the type that it will be decoded into and
// refuses keys that the type does not have.
func checkKeys(node *yaml.Node, t reflect.Type) error {
	switch {
	case node.Kind == yaml.DocumentNode:
		return checkKeys(node.Content[0], t)
	case node.Kind == yaml.AliasNode || node.Anchor != "":
		return fmt.Errorf("line %d: anchors and aliases are not used in catalogues", node.Line)
	case t.Kind() == reflect.Slice && node.Kind == yaml.SequenceNode:
		for _, item := range node.Content {
			if err := checkKeys(item, t.Elem()); err != nil {
				return err
			}
		}
	case node.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			inner, err := fieldType(node.Content[i], t)
			if err != nil {
				return err
			}
			if err := checkKeys(node.Content[i+1], inner); err != nil {
				return err
			}
		}
	}
	return nil
}

// fieldType gives the type of what stands under key in a value of type t.
func fieldType(key *yaml.Node, t reflect.Type) (reflect.Type, error) {
	if t.Kind() == reflect.Map {
		return t.Elem(), nil
	}
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("line %d: key %q where a plain value belongs", key.Line, key.Value)
	}
	var known []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name == key.Value {
			return t.Field(i).Type, nil
		}
		known = append(known, name)
	}
	return nil, fmt.Errorf("line %d: unknown key %q (did you mean %q?)", key.Line, key.Value, robot.Nearest(key.Value, known))
}
