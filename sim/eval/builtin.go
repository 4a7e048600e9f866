package eval

import (
	"bytes"
	_ "embed" // for the built-in suite
)

//go:embed tabletop.jsonl
var tabletop []byte

//go:embed kitchen.jsonl
var kitchen []byte

// Tabletop is the built-in suite of an arm at a table.
func Tabletop() *Suite { return builtIn("tabletop", tabletop) }

// KitchenSuite is the name of the built-in suite of the household.
const KitchenSuite = "kitchen"

// Kitchen is the built-in suite of an arm on wheels in a household.
func Kitchen() *Suite { return builtIn(KitchenSuite, kitchen) }

func builtIn(name string, text []byte) *Suite {
	s, err := Read(name, bytes.NewReader(text))
	if err != nil {
		panic(err) // the file is part of the program and a test reads it
	}
	return s
}
