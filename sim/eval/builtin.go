package eval

import (
	"bytes"
	_ "embed" // for the built-in suite
)

//go:embed tabletop.jsonl
var tabletop []byte

//go:embed kitchen.jsonl
var kitchen []byte

//go:embed kitchen-fresh.jsonl
var kitchenFresh []byte

//go:embed kitchen-later.jsonl
var kitchenLater []byte

//go:embed kitchen-third.jsonl
var kitchenThird []byte

// Tabletop is the built-in suite of an arm at a table.
func Tabletop() *Suite { return builtIn("tabletop", tabletop) }

// KitchenSuite is the name of the built-in suite of the household.
const KitchenSuite = "kitchen"

// Kitchen is the built-in suite of an arm on wheels in a household.
func Kitchen() *Suite { return builtIn(KitchenSuite, kitchen) }

// KitchenFreshSuite is the name of the household's suite that was written after the
// planner, with other sentences, scenes and things.
const KitchenFreshSuite = "kitchen-fresh"

// KitchenFresh is that suite.
func KitchenFresh() *Suite { return builtIn(KitchenFreshSuite, kitchenFresh) }

// KitchenLaterSuite is the name of one more, written when the failures of the fresh
// one had been looked at.
const KitchenLaterSuite = "kitchen-later"

// KitchenLater is that suite.
func KitchenLater() *Suite { return builtIn(KitchenLaterSuite, kitchenLater) }

// KitchenThirdSuite is the name of one that was written blind, by a hand that had
// not seen the planner nor how it was trained.
const KitchenThirdSuite = "kitchen-third"

// KitchenThird is that suite.
func KitchenThird() *Suite { return builtIn(KitchenThirdSuite, kitchenThird) }

// Household says whether name is that of a suite of the household.
func Household(name string) bool {
	return name == KitchenSuite || name == KitchenFreshSuite || name == KitchenLaterSuite || name == KitchenThirdSuite
}

func builtIn(name string, text []byte) *Suite {
	s, err := Read(name, bytes.NewReader(text))
	if err != nil {
		panic(err) // the file is part of the program and a test reads it
	}
	return s
}
