package topics

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kuai-robot/kuai/robot"
)

// Limits of what comes in, in bytes.
const (
	// MaxMessage bounds a whole message.
	MaxMessage = 64 << 10
	// MaxText bounds the text of an instruction.
	MaxText = 2000
	// MaxName bounds an id, a skill's name and each of its arguments.
	MaxName = 128
	// MaxArgs bounds the arguments of a skill.
	MaxArgs = 8
)

// Payload is a message that comes in; Validate says what is wrong with it.
type Payload interface {
	Validate() error
}

// DecodeInstruction reads an Instruction.
func DecodeInstruction(data []byte) (Instruction, error) { return decode[Instruction](data) }

// DecodeReset reads a Reset.
func DecodeReset(data []byte) (Reset, error) { return decode[Reset](data) }

// DecodeRelease reads a Release.
func DecodeRelease(data []byte) (Release, error) { return decode[Release](data) }

// DecodeTalk reads a Talk.
func DecodeTalk(data []byte) (Talk, error) { return decode[Talk](data) }

// DecodeSkill reads a Skill.
func DecodeSkill(data []byte) (Skill, error) { return decode[Skill](data) }

// DecodeTeleop reads a Teleop; joints is how many the robot has.
func DecodeTeleop(data []byte, joints int) (Teleop, error) {
	t, err := decode[Teleop](data)
	if err != nil {
		return t, err
	}
	if n := len(t.Position) + len(t.Velocity); n != joints {
		return Teleop{}, fmt.Errorf("%d joints are steered, the robot has %d", n, joints)
	}
	return t, nil
}

func decode[T Payload](data []byte) (T, error) {
	var zero, v T
	if err := Unmarshal(data, &v); err != nil {
		return zero, err
	}
	if err := v.Validate(); err != nil {
		return zero, err
	}
	return v, nil
}

// Unmarshal fills v, a pointer to a struct of this package, from a message.
// It refuses what Decode… refuses, except for the meaning of the fields, and
// is what a reader of outgoing topics uses.
func Unmarshal(data []byte, v any) error {
	if err := checkText(data); err != nil {
		return err
	}
	if err := checkKeys(data, fields(v)); err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return explain(err)
	}
	return nil
}

// Encode writes v as JSON. It fails on NaN and infinities.
func Encode(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return data, nil
}

func checkText(data []byte) error {
	switch {
	case len(data) == 0:
		return errors.New("the message is empty, want a JSON object")
	case len(data) > MaxMessage:
		return fmt.Errorf("the message has %d bytes, at most %d are read", len(data), MaxMessage)
	case !utf8.Valid(data):
		return errors.New("the message is not UTF-8")
	}
	return nil
}

// checkKeys walks the outermost object: encoding/json by itself takes a key in
// any case and the last of two equal keys, and stops at the closing brace.
func checkKeys(data []byte, known []string) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	first, err := decoder.Token()
	if err != nil {
		return explain(err)
	}
	if first != json.Delim('{') {
		return errors.New("the message is not a JSON object")
	}
	seen := map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return explain(err)
		}
		key, _ := token.(string)
		if !slices.Contains(known, key) {
			return fmt.Errorf("unknown field %q, known are %s", clip(key), strings.Join(known, ", "))
		}
		if seen[key] {
			return fmt.Errorf("field %q stands there twice", key)
		}
		seen[key] = true
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return explain(err)
		}
	}
	if _, err := decoder.Token(); err != nil {
		return explain(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	return nil
}

func fields(v any) []string {
	t := reflect.TypeOf(v).Elem()
	names := make([]string, t.NumField())
	for i := range names {
		names[i], _, _ = strings.Cut(t.Field(i).Tag.Get("json"), ",")
	}
	return names
}

// explain puts an error of encoding/json in the words of a message.
func explain(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("broken JSON: the message ends too early")
	case errors.As(err, &syntax):
		return fmt.Errorf("broken JSON at byte %d: %w", syntax.Offset, err)
	case errors.As(err, &kind):
		return fmt.Errorf("field %q cannot hold a %s", kind.Field, clip(kind.Value))
	}
	return fmt.Errorf("broken JSON: %w", err)
}

// Validate implements Payload.
func (m Instruction) Validate() error {
	if err := checkName("id", m.ID); err != nil {
		return err
	}
	return ValidText(m.Text)
}

// ValidText says what is wrong with the text of an instruction, or nil.
func ValidText(text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return errors.New("text is empty")
	case len(text) > MaxText:
		return fmt.Errorf("text has %d bytes, at most %d are read", len(text), MaxText)
	case !utf8.ValidString(text):
		return errors.New("text is not UTF-8")
	}
	if i := strings.IndexFunc(text, isControl); i >= 0 {
		return fmt.Errorf("text has a control character at byte %d", i)
	}
	return nil
}

// Validate implements Payload.
func (m Reset) Validate() error { return checkName("id", m.ID) }

// Validate implements Payload.
func (m Release) Validate() error {
	if m.On == nil {
		return errors.New("on is missing: true lets the joints go, false makes them hold")
	}
	return checkName("id", m.ID)
}

// Validate implements Payload.
func (m Talk) Validate() error {
	if m.On == nil {
		return errors.New("on is missing: true while somebody speaks, false after")
	}
	return checkName("id", m.ID)
}

// Validate implements Payload.
func (m Skill) Validate() error {
	if err := checkName("id", m.ID); err != nil {
		return err
	}
	if err := checkName("name", m.Name); err != nil {
		return err
	}
	if len(m.Args) > MaxArgs {
		return fmt.Errorf("args has %d entries, at most %d are read", len(m.Args), MaxArgs)
	}
	for _, arg := range m.Args {
		if err := checkName("args", arg); err != nil {
			return err
		}
	}
	return nil
}

// Validate implements Payload.
func (m Teleop) Validate() error {
	if (len(m.Position) == 0) == (len(m.Velocity) == 0) {
		return errors.New("give either position or velocity")
	}
	if len(m.Position) > robot.MaxJoints || len(m.Velocity) > robot.MaxJoints {
		return fmt.Errorf("more than %d joints are steered", robot.MaxJoints)
	}
	if !(m.At > 0) || math.IsInf(m.At, 0) {
		return errors.New("at must be the time in seconds, above 0")
	}
	for _, v := range slices.Concat(m.Position, m.Velocity) {
		// A joint of more than this is a slip of units, and keeps sums finite.
		if math.IsNaN(v) || math.Abs(v) > 1e6 {
			return fmt.Errorf("%g is no position or velocity of a joint", v)
		}
	}
	return nil
}

func checkName(field, s string) error {
	switch {
	case s == "":
		return fmt.Errorf("%s is empty", field)
	case len(s) > MaxName:
		return fmt.Errorf("%s has %d bytes, at most %d are read", field, len(s), MaxName)
	case !utf8.ValidString(s):
		return fmt.Errorf("%s is not UTF-8", field)
	case strings.ContainsFunc(s, unicode.IsControl):
		return fmt.Errorf("%s has a control character", field)
	}
	return nil
}

func isControl(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }

// clip keeps what a stranger sent from filling a log line.
func clip(s string) string {
	if len(s) <= 60 {
		return s
	}
	return strings.ToValidUTF8(s[:60], "") + "…"
}
