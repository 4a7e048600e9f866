package main

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// attached is what hangs on this machine.
type attached struct {
	// Serial are device files of adapters and boards, by their lasting names
	// where they have one.
	Serial []string `json:"serial"`
	// Cameras are the device files that give pictures.
	Cameras []device `json:"cameras"`
	// Microphones are the sound cards that listen.
	Microphones []device `json:"microphones"`
	// Board is the computer's name when it has pins of its own.
	Board string `json:"board,omitempty"`
}

// device is something with a file and a name.
type device struct {
	Path string `json:"path"`
	Name string `json:"name"`
}

var arduino = regexp.MustCompile(`(?i)arduino|firmata|teensy|ch340`)

// firmata says whether a serial port looks like a microcontroller board.
func firmata(port string) bool { return arduino.MatchString(port) }

// lookAround finds what the files of machine, a root file system, tell of.
func lookAround(machine fs.FS) attached {
	return attached{
		Serial: serialPorts(machine), Cameras: videoDevices(machine), Microphones: soundCards(machine), Board: boardName(machine),
	}
}

func serialPorts(machine fs.FS) []string {
	for _, pattern := range []string{"dev/serial/by-id/*", "dev/tty[AU][CS][MB]*"} {
		if found, err := fs.Glob(machine, pattern); err == nil && len(found) > 0 {
			slices.Sort(found)
			for i := range found {
				found[i] = "/" + found[i]
			}
			return found
		}
	}
	return []string{}
}

// videoDevices leaves out the second device of a camera, which gives data about
// the pictures in place of pictures.
func videoDevices(machine fs.FS) []device {
	found, err := fs.Glob(machine, "dev/video*")
	if err != nil {
		return []device{}
	}
	slices.Sort(found)
	all := []device{}
	for _, file := range found {
		about := "sys/class/video4linux/" + path.Base(file)
		if index := line(machine, about+"/index"); index != "" && index != "0" {
			continue
		}
		all = append(all, device{"/" + file, first(line(machine, about+"/name"), path.Base(file))})
	}
	return all
}

func soundCards(machine fs.FS) []device {
	found, err := fs.Glob(machine, "dev/snd/pcmC*D*c") // c: capture
	if err != nil {
		return []device{}
	}
	slices.Sort(found)
	all := []device{}
	for _, file := range found {
		card, _, _ := strings.Cut(strings.TrimPrefix(path.Base(file), "pcmC"), "D")
		all = append(all, device{"/" + file, first(line(machine, "proc/asound/card"+card+"/id"), "card "+card)})
	}
	return all
}

func boardName(machine fs.FS) string {
	name := strings.TrimRight(line(machine, "proc/device-tree/model"), "\x00")
	for _, known := range []string{"Jetson", "Raspberry Pi"} {
		if strings.Contains(name, known) {
			return name
		}
	}
	return ""
}

// line gives the first line of a file; empty when it is not there.
func line(machine fs.FS, name string) string {
	data, err := fs.ReadFile(machine, name)
	if err != nil {
		return ""
	}
	text, _, _ := strings.Cut(string(data), "\n")
	return strings.TrimSpace(text)
}
