package gobot

import (
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/kuai-robot/kuai/robot"
)

// maxFileBytes bounds what is read of a file.
const maxFileBytes = 1 << 20

// Read reads a Config as YAML; name is what errors call it. An unknown key is
// an error that names the nearest known one; what is there is checked as far
// as that is possible without the robot's description.
func Read(name string, r io.Reader) (*Config, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("gobot configuration %s: %w", name, err)
	}
	if len(data) > maxFileBytes {
		return nil, fmt.Errorf("gobot configuration %s: longer than %d bytes", name, maxFileBytes)
	}
	var root yaml.Node
	var c Config
	decode := func() error {
		if err := yaml.Unmarshal(data, &root); err != nil {
			return err
		}
		if err := knownKeys(&root, reflect.TypeFor[Config]()); err != nil {
			return err
		}
		return root.Decode(&c)
	}
	if err := decode(); err != nil {
		return nil, fmt.Errorf("gobot configuration %s: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("gobot configuration %s: %w", name, err)
	}
	return &c, nil
}

// knownKeys refuses keys of mappings that the type t has no field for.
func knownKeys(n *yaml.Node, t reflect.Type) error {
	switch n.Kind {
	case yaml.DocumentNode:
		return knownKeys(n.Content[0], t)
	case yaml.AliasNode:
		return fmt.Errorf("line %d: aliases are not read here (write the value out)", n.Line)
	case yaml.SequenceNode:
		if t.Kind() != reflect.Slice {
			return nil
		}
		var errs []error
		for _, child := range n.Content {
			errs = append(errs, knownKeys(child, t.Elem()))
		}
		return errors.Join(errs...)
	case yaml.MappingNode:
		if t.Kind() != reflect.Struct {
			return nil
		}
	default:
		return nil
	}
	fields := map[string]reflect.Type{}
	var names []string
	for i := range t.NumField() {
		key := t.Field(i).Tag.Get("yaml")
		fields[key], names = t.Field(i).Type, append(names, key)
	}
	var errs []error
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		field, ok := fields[key.Value]
		if !ok {
			errs = append(errs, fmt.Errorf("line %d: unknown key %q (did you mean %s?)", key.Line, key.Value, robot.Nearest(key.Value, names)))
			continue
		}
		errs = append(errs, knownKeys(n.Content[i+1], field))
	}
	return errors.Join(errs...)
}

// Validate says everything that is wrong with c by itself, or nil.
func (c *Config) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if len(c.Boards) == 0 {
		bad("no board is listed under boards")
	}
	if len(c.Joints) == 0 || len(c.Joints) > robot.MaxJoints {
		bad("%d joints are listed, want 1 to %d", len(c.Joints), robot.MaxJoints)
	}
	if c.Retry != 0 && c.Retry < lapse {
		bad("retry is %v, must be at least %v", c.Retry, lapse)
	}
	boards := map[string]bool{}
	for i := range c.Boards {
		b := &c.Boards[i]
		if b.Name == "" || boards[b.Name] {
			bad("board %d (%q): the name is empty or used twice", i+1, b.Name)
		}
		boards[b.Name] = true
		if err := b.validate(); err != nil {
			bad("board %s: %w", b.Name, err)
		}
	}
	names, pins := map[string]bool{}, map[[2]string]string{}
	for i := range c.Joints {
		j := &c.Joints[i]
		if j.Name == "" || names[j.Name] {
			bad("joint %d (%q): the name is empty or used twice", i+1, j.Name)
		}
		names[j.Name] = true
		board := c.boardOf(j)
		if !boards[board] {
			bad("joint %s: no board is called %q", j.Name, board)
		}
		for _, pin := range []string{j.Pin, j.DirectionPin} {
			if other, taken := pins[[2]string{board, pin}]; pin != "" && taken {
				bad("joint %s: pin %s of board %s is joint %s's", j.Name, pin, board, other)
			}
			pins[[2]string{board, pin}] = j.Name
		}
		if err := j.validate(); err != nil {
			bad("joint %s: %w", j.Name, err)
		}
	}
	return errors.Join(errs...)
}

// boardOf gives the board that a joint hangs on.
func (c *Config) boardOf(j *Joint) string {
	if j.Board == "" && len(c.Boards) == 1 {
		return c.Boards[0].Name
	}
	return j.Board
}

func (b *Board) validate() error {
	switch {
	case b.Adaptor == "":
		return fmt.Errorf("needs an adaptor: %s, %s or %s", AdaptorFirmata, AdaptorJetson, AdaptorRaspi)
	case b.Adaptor == AdaptorFirmata && b.Port == "":
		return errors.New("a Firmata board needs a port, such as /dev/ttyACM0 or tcp://HOST:PORT")
	case b.Baud < 0:
		return fmt.Errorf("baud is %d, must not be negative", b.Baud)
	}
	return nil
}

func (j *Joint) validate() error {
	numbers := []float64{j.MinPulse, j.MaxPulse, j.MinAngle, j.MaxAngle, j.MinDuty, j.MaxDuty}
	for _, at := range []*float64{j.AtMin, j.AtMax} {
		if at != nil {
			numbers = append(numbers, *at)
		}
	}
	for _, v := range numbers {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return errors.New("a value is not a finite number")
		}
	}
	if j.Pin == "" {
		return errors.New("needs a pin")
	}
	servo, duty := j.MinPulse != 0 || j.MaxPulse != 0 || j.angles(), j.MinDuty != 0 || j.MaxDuty != 0
	switch {
	case j.Kind != KindServo && j.Kind != KindPWM && j.Kind != KindMotor:
		return fmt.Errorf("kind %q is not %s, %s or %s", j.Kind, KindServo, KindPWM, KindMotor)
	case j.Kind == KindServo && duty:
		return errors.New("min_duty and max_duty are for pwm and motor, a servo has pulses")
	case j.Kind != KindServo && servo:
		return fmt.Errorf("pulses and angles are for servos, %s has min_duty and max_duty", j.Kind)
	case j.angles() && (j.MinPulse != 0 || j.MaxPulse != 0):
		return errors.New("give min_pulse and max_pulse or min_angle and max_angle, not both")
	case j.Kind == KindMotor && j.DirectionPin == "":
		return errors.New("a motor needs a direction_pin (a motor that turns one way only is kind pwm)")
	case j.Kind != KindMotor && j.DirectionPin != "":
		return errors.New("direction_pin is for motors")
	case j.AtMin != nil && j.AtMax != nil && !(*j.AtMin < *j.AtMax):
		return fmt.Errorf("at_min %g is not below at_max %g (inverted turns a joint round)", *j.AtMin, *j.AtMax)
	}
	return j.rangeError()
}

func (j *Joint) angles() bool { return j.MinAngle != 0 || j.MaxAngle != 0 }

// output gives the least and the greatest output with defaults filled in.
func (j *Joint) output() (least, greatest float64) {
	or := func(v, otherwise float64) float64 {
		if v == 0 {
			return otherwise
		}
		return v
	}
	switch {
	case j.Kind != KindServo:
		return j.MinDuty, or(j.MaxDuty, 1)
	case j.angles():
		return j.MinAngle, or(j.MaxAngle, fullAngle)
	}
	return or(j.MinPulse, defaultMin), or(j.MaxPulse, defaultMax)
}

func (j *Joint) rangeError() error {
	least, greatest := j.output()
	lowest, highest, what := shortestPulse, longestPulse, "pulses in µs"
	switch {
	case j.Kind != KindServo:
		lowest, highest, what = 0, 1, "duties"
	case j.angles():
		lowest, highest, what = 0, fullAngle, "angles in degrees"
	}
	if !(lowest <= least && least < greatest && greatest <= highest) {
		return fmt.Errorf("%s from %g to %g: want an ascending range within %g to %g", what, least, greatest, lowest, highest)
	}
	return nil
}
