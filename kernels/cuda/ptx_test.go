package cuda_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/kernels/cuda"
)

// digest is that of scripts/ptx.py.
func digest(t *testing.T, patterns ...string) string {
	t.Helper()
	var files []string
	for _, p := range patterns {
		found, err := filepath.Glob(p)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	sort.Slice(files, func(i, j int) bool { return filepath.Base(files[i]) < filepath.Base(files[j]) })
	h := sha256.New()
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(h, "%s %d\n", filepath.Base(f), len(b))
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// TestPTX holds the embedded PTX to the sources that it was compiled from.
func TestPTX(t *testing.T) {
	about, err := cuda.ReadAbout()
	if err != nil {
		t.Fatal(err)
	}
	if got := digest(t, "*.cu", "*.h"); got != about.Sources {
		t.Errorf("the PTX was compiled from other sources (%.8s, these are %.8s): run make ptx and commit kernels/cuda/ptx", about.Sources, got)
	}
	if got := digest(t, "ptx/*.ptx"); got != about.PTX {
		t.Errorf("ptx/*.ptx is not what the compiler wrote (%.8s, now %.8s): run make ptx", about.PTX, got)
	}
	for name, k := range about.Kernels {
		if k.SM87.Registers == 0 || k.SM90.Registers == 0 || k.Threads == 0 {
			t.Errorf("kernel %s: %+v: ptxas has not checked it", name, k)
		}
		if k.SM87.Spills+k.SM90.Spills > 0 {
			t.Errorf("kernel %s spills registers: %+v", name, k)
		}
	}
}

// TestPTXCompiledAnew compiles everything where the compiler is installed.
func TestPTXCompiledAnew(t *testing.T) {
	python := filepath.Join("..", "..", ".venv-cuda", "bin", "python")
	if _, err := os.Stat(python); err != nil {
		t.Skip("the CUDA compiler is not installed (make cuda-deps)")
	}
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	out, err := exec.Command(python, filepath.Join("..", "..", "scripts", "ptx.py"), "check", "ptx").CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, strings.TrimSpace(string(out)))
	}
}
