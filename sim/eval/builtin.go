package eval

import (
	"bytes"
	_ "embed" // for the built-in suite
)

//go:embed tabletop.jsonl
var tabletop []byte

// Tabletop is the built-in suite of an arm at a table.
func Tabletop() *Suite {
	s, err := Read("tabletop", bytes.NewReader(tabletop))
	if err != nil {
		panic(err) // the file is part of the program and a test reads it
	}
	return s
}
