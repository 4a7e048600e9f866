package kuai_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/kuai-robot/kuai"

// arrows lists, for every room, the rooms it may import. An entry of two path
// elements is a room of its own where it differs from the one around it.
var arrows = map[string][]string{
	"robot":   {},
	"kernels": {},

	// Readers of model files and where those files lie; perception and fusion share them.
	"internal/checkpoint": {"kernels"},
	"internal/models":     {},

	"perception": {"robot", "kernels", "internal/checkpoint", "internal/models", "internal/jpeg"},
	"fusion":     {"robot", "kernels", "perception", "internal/checkpoint", "internal/models"},
	"policy":     {"robot", "fusion", "perception"},
	// Joints that are MQTT devices speak the payloads of the topics.
	"actuation": {"robot", "internal/topics"},

	// The simulator stands where the hardware does, so it knows the robot alone;
	// its cameras send JPEG as those of an IP camera do.
	"sim": {"robot", "internal/jpeg"},
	// The simulated board keeps pace with a clock.
	"firmware": {"robot"},

	// Files for an installation; nothing of it is compiled in.
	"deploy": {},

	// Plumbing, each for the daemon's wiring.
	"internal/topics": {"robot"},
	"internal/broker": {"robot", "internal/topics"},
	"internal/config": {"robot"},
	"internal/record": {"robot", "internal/topics", "internal/jpeg"},
	// JPEG files, for cameras on either side, recordings, datasets and the page.
	"internal/jpeg":  {},
	"internal/web":   {"robot", "internal/topics", "internal/broker", "internal/jpeg"},
	"internal/bench": {"robot"},
	// What stages were given, and those stages again.
	"internal/replay": {"robot", "actuation", "policy", "internal/record"},
	// What is in a recording, in figures and plots.
	"internal/inspect": {"robot", "internal/record", "internal/replay"},
	// Recordings become datasets and back.
	"internal/dataset": {"robot", "internal/record", "internal/replay", "internal/jpeg"},
	// The models, measured in turns with other programs.
	"internal/turns": {"robot", "kernels", "perception", "fusion"},
	// Any model into its int8 checkpoint; the caller says how one is opened.
	"internal/quantize": {"kernels", "internal/checkpoint"},
	// Versions of something that is learned, and going back to one.
	"internal/lineage": {},
	// The source of a training that Python runs.
	"train": {},
	// A full disk, for tests.
	"internal/smalldisk": {},
	// Threads that must be on time: the simulator's physics, the control loop.
	"internal/realtime": {"robot"},
	// The daemon is the wiring: it alone knows every room.
	"internal/daemon": {"robot", "kernels", "perception", "fusion", "policy", "actuation", "sim", "internal", "train"},
	"cmd":             {"robot", "kernels", "perception", "fusion", "policy", "actuation", "sim", "internal"},
}

// testArrows are allowed to tests in addition.
var testArrows = map[string][]string{
	// A backend is tested with whole models.
	"kernels": {"robot", "perception", "fusion"},
	// The conformance table lives in actuation/drivertest; the simulator passes it too.
	"sim": {"actuation"},
	// The Gobot driver is tested against the firmware on a simulated board.
	"actuation": {"firmware"},
	// What a full disk does.
	"internal/record": {"internal/smalldisk"},
	"internal/broker": {"internal/smalldisk"},
	// The configuration that is installed must be one that is read.
	"deploy": {"internal/config"},
	// The arm that the simulator describes is what kinematics and policies are
	// tested with.
	"robot":  {"sim"},
	"policy": {"sim"},
	// The cameras are tested against the simulator's RTSP server.
	"perception": {"sim"},
}

type goPackage struct {
	ImportPath, Name, Doc              string
	Imports, TestImports, XTestImports []string
	GoFiles, CgoFiles                  []string
}

func TestArrows(t *testing.T) {
	for _, p := range packages(t) {
		from := room(p.ImportPath)
		if from == "" {
			continue
		}
		allowed, known := arrows[from]
		if !known {
			t.Errorf("%s: room %q is not in the table: add it with what it may import, and why", p.ImportPath, from)
			continue
		}
		check := func(imports, allowed []string) {
			for _, path := range imports {
				if to := room(path); to != "" && to != from && !contains(allowed, to) {
					t.Errorf("%s imports %s: %s may import only %v", p.ImportPath, path, from, allowed)
				}
			}
		}
		check(p.Imports, allowed)
		withTests := append(append([]string{}, allowed...), testArrows[from]...)
		check(p.TestImports, withTests)
		check(p.XTestImports, withTests)
	}
}

func TestEveryPackageTellsItsStory(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles)+len(p.CgoFiles) == 0 {
			continue
		}
		if !strings.HasPrefix(p.Doc, "Package "+p.Name) && p.Name != "main" || p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-e", "-json=ImportPath,Name,Doc,Imports,TestImports,XTestImports,GoFiles,CgoFiles", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// room gives the room of an import path of this module: its first path
// element, or two below internal; empty for other modules and the root.
func room(path string) string {
	rest, ok := strings.CutPrefix(path, module+"/")
	if !ok {
		return ""
	}
	elements := strings.Split(rest, "/")
	if elements[0] == "internal" && len(elements) > 1 {
		return elements[0] + "/" + elements[1]
	}
	return elements[0]
}

// contains says whether to, or the folder around it, is in rooms.
func contains(rooms []string, to string) bool {
	for _, r := range rooms {
		if r == to || strings.HasPrefix(to, r+"/") {
			return true
		}
	}
	return false
}
