package simavr

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// Build compiles the firmware for a board, with macros such as
// "-DKUAI_TEST_HANG", and gives the ELF file and what the build printed. What
// has not changed is not compiled again. The test is skipped where the
// compiler is missing.
func Build(t testing.TB, m *Model, macros ...string) (elf, printed string) {
	t.Helper()
	for tool, pkg := range map[string]string{"avr-gcc": "gcc-avr", "make": "make"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s (Debian package %s; scripts/deps.sh run test installs it)", tool, pkg)
		}
	}
	if _, err := os.Stat("/usr/lib/avr/include/avr/io.h"); err != nil {
		t.Skip("needs avr-libc (scripts/deps.sh run test installs it)")
	}
	_, here, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(here), "..", "..")
	name := "plain"
	if len(macros) > 0 {
		name = fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(macros, " "))))[:8]
	}
	out := filepath.Join(root, "build", "firmware", name)
	defer lock(t, out)()
	cmd := exec.Command("make", "-s", "-C", filepath.Join(root, "firmware", "arduino"), "BOARD="+m.Name, "OUT="+out, "DEFINES="+strings.Join(macros, " "))
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the firmware does not build: %v\n%s", err, text)
	}
	return filepath.Join(out, m.Name+".elf"), string(text)
}

// lock keeps the tests of other packages from building into the same folder.
func lock(t testing.TB, folder string) (unlock func()) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(folder, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	return func() { file.Close() }
}

// NewBoard powers up a board with freshly built firmware and closes it with
// the test, which is skipped where avr-gcc or simavr is missing.
func NewBoard(t testing.TB, m *Model, change func(*Options), macros ...string) *Board {
	t.Helper()
	elf, _ := Build(t, m, macros...)
	o := Options{Model: m, ELF: elf}
	if change != nil {
		change(&o)
	}
	b, err := Open(o)
	if err != nil {
		t.Skipf("needs %v", err)
	}
	t.Cleanup(b.Close)
	return b
}
