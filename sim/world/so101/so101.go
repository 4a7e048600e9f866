// Package so101 describes the arm that kuai simulates and that a desk has room
// for: six joints with the proportions of the SO-101 and a parallel gripper.
//
// The description is data (so101.yaml, embedded), needs neither the simulator
// nor cgo, and is what a driver for the real arm uses as well.
package so101

import (
	"bytes"
	_ "embed" // for the description

	"github.com/kuai-robot/kuai/robot"
	"go.yaml.in/yaml/v3"
)

//go:embed so101.yaml
var description []byte

// Description gives a copy of the description, which the caller may change.
func Description() *robot.Description {
	decoder := yaml.NewDecoder(bytes.NewReader(description))
	decoder.KnownFields(true)
	d := &robot.Description{}
	if err := decoder.Decode(d); err != nil {
		panic(err) // the file is part of the program and a test reads it
	}
	return d
}
