package eval

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/demos"
)

var update = flag.Bool("update", false, "write what is frozen anew")

// The suites were drawn before the policy was tuned, and stay what they are.
func TestPixelSuitesAreFrozen(t *testing.T) {
	frozen := filepath.Join("testdata", "pixels.sums")
	var sums strings.Builder
	for _, name := range PixelSuites() {
		s, _ := Pixels(name)
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		for i := range s.Episodes {
			if err := encoder.Encode(&s.Episodes[i]); err != nil {
				t.Fatal(err)
			}
		}
		again, err := Read(name, bytes.NewReader(text.Bytes()))
		if err != nil || len(again.Episodes) != pixelEpisodes {
			t.Fatalf("%s does not read back: %v", name, err)
		}
		sum := sha256.Sum256(text.Bytes())
		sums.WriteString(hex.EncodeToString(sum[:]) + "  " + name + "\n")
	}
	if *update {
		if err := os.WriteFile(frozen, []byte(sums.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(frozen)
	if err != nil {
		t.Fatal(err)
	}
	if sums.String() != string(want) {
		t.Errorf("the suites changed:\n%swant:\n%s", sums.String(), want)
	}
}

// What is called unseen was never asked for in a demonstration, and the other way
// round.
func TestUnseenIsUnseen(t *testing.T) {
	for _, name := range PixelSuites() {
		s, _ := Pixels(name)
		for i := range s.Episodes {
			for _, c := range s.Episodes[i].Plans[0] {
				if len(c.Args) < 2 || c.Name == "push" {
					continue
				}
				if unseen := demos.HeldOut(robot.Skill(c)); unseen != (name == "pixels-unseen") && name != "pixels-steps" {
					t.Errorf("%s: line %d: %s: held out %v", name, i+1, robot.Skill(c), unseen)
				}
			}
		}
	}
}
