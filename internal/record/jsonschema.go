package record

import (
	"encoding/json"
	"reflect"
	"strings"
)

// SchemaOf gives the JSON schema of what encoding/json writes for v, so that
// Foxglove can offer its fields. A type that marshals itself to something else
// may say what with a method JSONSchema() map[string]any.
func SchemaOf(v any) []byte {
	data, err := json.Marshal(schemaOf(reflect.TypeOf(v), 0))
	if err != nil {
		panic(err) // maps and texts only: cannot fail
	}
	return data
}

// maxSchemaDepth ends types that hold themselves.
const maxSchemaDepth = 8

func schemaOf(t reflect.Type, depth int) map[string]any {
	if own, ok := reflect.Zero(t).Interface().(interface{ JSONSchema() map[string]any }); ok && t.Kind() != reflect.Pointer {
		return own.JSONSchema()
	}
	if depth == maxSchemaDepth {
		return map[string]any{}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem(), depth+1)
	case reflect.Struct:
		properties := map[string]any{}
		addProperties(t, properties, depth)
		return map[string]any{"type": "object", "properties": properties}
	case reflect.Slice, reflect.Array:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem(), depth+1)}
	case reflect.Map:
		return map[string]any{"type": "object"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Float32, reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Interface:
		return map[string]any{}
	}
	return map[string]any{"type": "integer"}
}

func addProperties(t reflect.Type, properties map[string]any, depth int) {
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Anonymous && name == "":
			addProperties(field.Type, properties, depth)
		case name != "" && name != "-":
			properties[name] = schemaOf(field.Type, depth+1)
		}
	}
}
