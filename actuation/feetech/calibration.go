package feetech

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Calibration is what is known of the servos of one robot and of no other of
// the same kind: how they were screwed on. `kuai calibrate` writes it.
type Calibration struct {
	Servos []Calibrated `yaml:"servos"`
}

// Calibrated is one servo in a Calibration; the fields are Servo's.
type Calibrated struct {
	Joint   string `yaml:"joint"`
	ID      byte   `yaml:"id"`
	Zero    int    `yaml:"zero"`
	Reverse bool   `yaml:"reverse"`
	// PerTurn is measured where the joint is no plain turn; 0: as configured.
	PerTurn float64 `yaml:"per_turn,omitempty"`
}

// maxCalibration bounds what is read of a file, bytes.
const maxCalibration = 1 << 16

// ReadCalibration reads what Write wrote; name is what errors call it. An
// unknown key, a joint or id twice and a zero further than a turn from the
// servo's range are errors.
func ReadCalibration(name string, r io.Reader) (*Calibration, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxCalibration+1))
	if err == nil && len(data) > maxCalibration {
		err = fmt.Errorf("longer than %d bytes", maxCalibration)
	}
	var c Calibration
	if err == nil {
		decoder := yaml.NewDecoder(strings.NewReader(string(data)))
		decoder.KnownFields(true)
		if err = decoder.Decode(&c); errors.Is(err, io.EOF) {
			err = errors.New("is empty")
		}
	}
	if err == nil {
		err = c.check()
	}
	if err != nil {
		return nil, fmt.Errorf("calibration %s: %w (kuai calibrate writes one)", name, err)
	}
	return &c, nil
}

func (c *Calibration) check() error {
	joints, ids := map[string]bool{}, map[byte]bool{}
	for _, s := range c.Servos {
		switch {
		case s.Joint == "" || joints[s.Joint]:
			return fmt.Errorf("joint %q has no name or stands there twice", s.Joint)
		case s.ID >= Broadcast || ids[s.ID]:
			return fmt.Errorf("joint %s: id %d is not 0 to 253 or stands there twice", s.Joint, s.ID)
		case s.Zero <= -Counts || s.Zero >= 2*Counts:
			return fmt.Errorf("joint %s: zero %d is more than a turn away", s.Joint, s.Zero)
		case !(s.PerTurn >= 0) || math.IsInf(s.PerTurn, 0):
			return fmt.Errorf("joint %s: per_turn %g is not a number of at least 0", s.Joint, s.PerTurn)
		}
		joints[s.Joint], ids[s.ID] = true, true
	}
	if len(c.Servos) == 0 {
		return errors.New("lists no servo")
	}
	return nil
}

// Write writes c as YAML.
func (c *Calibration) Write(w io.Writer) error {
	data, err := yaml.Marshal(c)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "# Written by kuai calibrate for one robot: zero is the count at which a joint stands at 0,\n"+
		"# reverse says that counts grow when the joint's position falls.\n%s", data)
	return err
}

// Apply fills Zero and Reverse of servos, which name joints and ids already,
// and PerTurn where it is not given.
func (c *Calibration) Apply(servos []Servo) error {
	for i := range servos {
		s := &servos[i]
		found := false
		for _, known := range c.Servos {
			if known.Joint != s.Joint {
				continue
			}
			if known.ID != s.ID {
				return fmt.Errorf("joint %s was calibrated with servo %d, the configuration says %d (calibrate again)", s.Joint, known.ID, s.ID)
			}
			s.Zero, s.Reverse, found = known.Zero, known.Reverse, true
			if s.PerTurn == 0 {
				s.PerTurn = known.PerTurn
			}
		}
		if !found {
			return fmt.Errorf("joint %s is not in the calibration (calibrate again)", s.Joint)
		}
	}
	return nil
}
