package replay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/kuai-robot/kuai/robot"
)

// Numbers are floating-point numbers that come back from JSON to the bit, also
// those that JSON has no number for: "NaN", "+Inf" and "-Inf".
type Numbers []float64

// MarshalJSON implements json.Marshaler.
func (n Numbers) MarshalJSON() ([]byte, error) {
	b := append(make([]byte, 0, 2+20*len(n)), '[')
	for i, v := range n {
		if i > 0 {
			b = append(b, ',')
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			b = append(b, '"')
			b = strconv.AppendFloat(b, v, 'g', -1, 64)
			b = append(b, '"')
			continue
		}
		b = strconv.AppendFloat(b, v, 'g', -1, 64)
	}
	return append(b, ']'), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Numbers) UnmarshalJSON(data []byte) error {
	var texts []json.RawMessage
	if err := json.Unmarshal(data, &texts); err != nil {
		return err
	}
	if len(texts) > robot.MaxJoints {
		return fmt.Errorf("%d numbers for the joints, at most %d", len(texts), robot.MaxJoints)
	}
	*n = make(Numbers, len(texts))
	for i, text := range texts {
		v, err := strconv.ParseFloat(string(bytes.Trim(text, `"`)), 64)
		if err != nil {
			return fmt.Errorf("%s is not a number", text)
		}
		(*n)[i] = v
	}
	return nil
}

// JSONSchema says that this is a list of numbers.
func (n Numbers) JSONSchema() map[string]any {
	return map[string]any{"type": "array", "items": map[string]any{"type": "number"}}
}

func (n Numbers) joints() (j robot.Joints) {
	copy(j[:], n)
	return j
}

// same says whether n and m are the same to the bit, or both are not numbers.
func (n Numbers) same(m Numbers) bool {
	if len(n) != len(m) {
		return false
	}
	for i := range n {
		if math.Float64bits(n[i]) != math.Float64bits(m[i]) && !(math.IsNaN(n[i]) && math.IsNaN(m[i])) {
			return false
		}
	}
	return true
}

// State is robot.State of the joints that there are.
type State struct {
	At          robot.Time `json:"at"`
	Position    Numbers    `json:"position"`
	Velocity    Numbers    `json:"velocity"`
	Effort      Numbers    `json:"effort"`
	Temperature Numbers    `json:"temperature"`
}

func stateOf(s *robot.State, joints int) State {
	return State{
		At: s.At, Position: s.Position[:joints], Velocity: s.Velocity[:joints],
		Effort: s.Effort[:joints], Temperature: s.Temperature[:joints],
	}
}

func (s *State) robot() robot.State {
	return robot.State{
		At: s.At, Position: s.Position.joints(), Velocity: s.Velocity.joints(),
		Effort: s.Effort.joints(), Temperature: s.Temperature.joints(),
	}
}
