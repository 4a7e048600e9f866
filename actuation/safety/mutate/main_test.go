package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryStatementOfTheSafetyCoreIsTested(t *testing.T) {
	t.Chdir("../../..")
	if err := checkCoverage("actuation/safety"); err != nil {
		t.Fatal(err)
	}
}

// write makes a module with a package p and its test.
func write(t *testing.T, code, test, equivalent string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"go.mod":                  "module example.test/m\n\ngo 1.24\n",
		"p/p.go":                  "// Package p is mutated.\npackage p\n\n" + code,
		"p/p_test.go":             "package p\n\nimport (\n\t\"flag\"\n\t\"testing\"\n)\n\nvar _ = flag.Bool(\"rapid.nofailfile\", false, \"\")\n\n" + test,
		"p/mutate/equivalent.txt": equivalent,
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

const larger = `func larger(a, b int) int {
	if a > b {
		return a
	}
	return b
}
`

func TestFindsAHole(t *testing.T) {
	// Covers every statement, but never the edge a == b, where it does not matter.
	write(t, larger, `func TestLarger(t *testing.T) {
	if larger(2, 1) != 2 || larger(1, 2) != 2 {
		t.Fatal()
	}
}
`, "")
	err := run("p", false)
	if err == nil || !strings.Contains(err.Error(), "p.go:5: survives: p.go: a > b → a >= b") {
		t.Fatalf("run gave %v, want the mutant a >= b", err)
	}
	if strings.Count(err.Error(), "survives") != 1 {
		t.Errorf("run gave %v, want one survivor", err)
	}
	if err := os.WriteFile("p/mutate/equivalent.txt", []byte("p.go: a > b → a >= b # equal numbers are equally large\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run("p", true); err != nil {
		t.Errorf("with the mutant listed: %v", err)
	}
	if err := os.WriteFile("p/mutate/equivalent.txt", []byte("p.go: a > b → true # wrong\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run("p", false); err == nil || !strings.Contains(err.Error(), "does not survive: p.go: a > b → true") {
		t.Errorf("with another listed: %v", err)
	}
}

func TestWantsEveryStatement(t *testing.T) {
	write(t, larger, `func TestLarger(t *testing.T) {
	if larger(2, 1) != 2 {
		t.Fatal()
	}
}
`, "")
	if err := run("p", false); err == nil || !strings.Contains(err.Error(), "do not run every statement") {
		t.Errorf("run gave %v", err)
	}
}

func TestEquivalentNeedsReasons(t *testing.T) {
	path := filepath.Join(t.TempDir(), "equivalent.txt")
	if err := os.WriteFile(path, []byte("p.go: a → b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readEquivalent(path); err == nil || !strings.Contains(err.Error(), "has no reason") {
		t.Errorf("readEquivalent gave %v", err)
	}
}

func TestEveryBranchOfTheSafetyCoreIsTested(t *testing.T) {
	t.Chdir("../../..")
	if err := runBranches("actuation/safety"); err != nil {
		t.Fatal(err)
	}
}

func TestFindsABranchThatIsNotTaken(t *testing.T) {
	code := `func sign(a, b int) int {
	for a > 9 {
		a--
	}
	if a > 0 && b > 0 {
		return 1
	}
	switch {
	case a < b:
		return 2
	}
	return 3
}
`
	write(t, code, `func TestSign(t *testing.T) {
	if sign(1, 1) != 1 || sign(0, 1) != 2 {
		t.Fatal()
	}
}
`, "")
	err := runBranches("p")
	for _, want := range []string{"p.go:5: never true: p.go: a > 9", "p.go:8: never false: p.go: b > 0", "p.go:12: never false: p.go: a < b"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("runBranches gave %v, want %q", err, want)
		}
	}
	if n := strings.Count(err.Error(), "never"); n != 3 {
		t.Errorf("runBranches gave %v, want three branches", err)
	}
}
