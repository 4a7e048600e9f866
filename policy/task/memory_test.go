package task_test

import (
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/policy/skill"
	"github.com/kuai-robot/kuai/policy/task"
	"github.com/kuai-robot/kuai/robot"
)

// notes is a memory without a file.
type notes struct{ told []string }

func (n *notes) Tell(text string, _ robot.Time) { n.told = append([]string{text}, n.told...) }
func (n *notes) Forget() (string, bool) {
	if len(n.told) == 0 {
		return "", false
	}
	text := n.told[0]
	n.told = n.told[1:]
	return text, true
}
func (n *notes) Likes() []string { return n.told }
func (n *notes) Seen(name string) (string, robot.Time, bool) {
	return "shelf", 0, name == "lemon"
}

// What was told once is used later, until it is forgotten.
func TestMemory(t *testing.T) {
	in, err := task.New(task.Config{Catalogue: skill.Kitchen(), Memory: &notes{}, Name: "kuai", Persona: "a kitchen help"})
	if err != nil {
		t.Fatal(err)
	}
	for _, turn := range [][2]string{
		{"bring me the mug", "Do you mean"},
		{"never mind", "All right"},
		{"I like my tea in the white mug", "I will remember: i like my tea in the white mug"},
		{"bring me the mug", "bring me the white mug"},
		{"bring me a mug", ""},
		{"I like the green apple best", "I will remember"},
		{"bring me an apple", "bring me the green apple"},
		{"where is the lemon?", "I saw the lemon last at the shelf"},
		{"who are you?", "I am kuai, a kitchen help."},
		{"forget that", "I have forgotten: i like the green apple best"},
		{"forget that", "white mug"},
		{"forget that", "nothing to forget"},
	} {
		if got := carry(t, in, turn[0], kitchen()); !strings.Contains(got, turn[1]) {
			t.Errorf("%q: %q, want %q", turn[0], got, turn[1])
		}
	}
}
