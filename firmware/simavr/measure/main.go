// Command measure runs built firmware on a simulated board, gives it the most
// that a host can ask of it, and prints what make fw shows: the longest pass of
// the main loop, the deepest stack, and how long after the host's last byte the
// outputs were off.
//
//	go run ./firmware/simavr/measure FOLDER
//
// FOLDER holds uno.elf and mega.elf. Without simavr it says so and exits with 0,
// for the firmware is built without it.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/kuai-robot/kuai/firmware/simavr"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: measure FOLDER")
		os.Exit(2)
	}
	for _, m := range []*simavr.Model{simavr.Uno, simavr.Mega} {
		if err := measure(m, os.Args[1]); err != nil {
			fmt.Fprintf(os.Stderr, "firmware %s: %v\n", m.Name, err)
			os.Exit(1)
		}
	}
}

func measure(m *simavr.Model, folder string) error {
	elf := filepath.Join(folder, m.Name+".elf")
	if _, err := os.Stat(elf); err != nil {
		return err
	}
	b, err := simavr.Open(simavr.Options{Model: m, ELF: elf})
	if err != nil {
		fmt.Printf("firmware %s: not measured: %v\n", m.Name, err)
		return nil
	}
	defer b.Close()
	l, err := simavr.Measure(b)
	if err != nil {
		return err
	}
	fmt.Printf("firmware %s (%s): longest pass of the main loop %d us (%d cycles) from power-on through full load, stack %d bytes, outputs off %.2f ms after the last byte\n",
		m.Name, m.MCU, l.LongestPass.Microseconds(), l.LongestPass.Microseconds()*simavr.Frequency/1e6, l.Stack, l.Off.Seconds()*1e3)
	return nil
}
