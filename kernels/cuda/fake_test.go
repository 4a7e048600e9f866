//go:build cuda

package cuda_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/kernels/cuda"
	"github.com/kuai-robot/kuai/kernels/cuda/gpu"
	"github.com/kuai-robot/kuai/kernels/ref"
)

// imaginary is the folder of the libcuda.so.1 that scripts/fakecuda.sh builds.
const imaginary = "../../build/cuda/fake"

// TestImaginary gives the host side a card that is old, full, taken or lost, each in
// a process of its own: the driver is looked for when a process starts.
func TestImaginary(t *testing.T) {
	folder, err := filepath.Abs(imaginary)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "libcuda.so.1")); err != nil {
		t.Skipf("%v (make test-cuda builds it)", err)
	}
	for _, c := range []struct {
		setting string
		want    []string
	}{
		{"KUAI_FAKE_UNIFIED=0", []string{"card: Imaginary GPU", "run 3: [2 2 2 2]", "events: 0"}},
		{"KUAI_FAKE_UNIFIED=1", []string{"card: Imaginary GPU", "run 3: [2 2 2 2]", "events: 0"}},
		{"KUAI_FAKE_VERSION=11040", []string{"the driver is for CUDA 11.4, the kernels need 11.8"}},
		{"KUAI_FAKE_CAPABILITY=75", []string{"Imaginary GPU is of compute capability 7.5, the kernels need 8.0 or newer"}},
		{"KUAI_FAKE_MODE=2", []string{"Imaginary GPU is closed to compute processes (run: nvidia-smi -c DEFAULT)"}},
		{"KUAI_FAKE_INIT=803", []string{"the driver does not start: CUDA error 803"}},
		{"KUAI_FAKE_INIT=100", []string{"the driver finds no device"}},
		{"KUAI_FAKE_MEMORY=0", []string{"event: graph doubling goes on with ref: ", "not enough memory on the GPU", "run 3: [2 2 2 2]", "events: 1"}},
		{"KUAI_FAKE_MEMORY=300", []string{"event: graph doubling goes on with ref: ", "not enough memory on the GPU", "run 3: [2 2 2 2]", "events: 1"}},
		{"KUAI_FAKE_LOST=2", []string{"run 1: [2 2 2 2]", "the GPU is lost (CUDA error 700", "run 2: [2 2 2 2]", "run 3: [2 2 2 2]", "events: 1"}},
	} {
		t.Run(c.setting, func(t *testing.T) {
			child := exec.Command(os.Args[0], "-test.run=^TestImaginaryChild$", "-test.v")
			child.Env = append(os.Environ(), "LD_LIBRARY_PATH="+folder, "KUAI_TEST_CHILD=1", c.setting)
			out, err := child.CombinedOutput()
			for _, want := range c.want {
				if err != nil || !strings.Contains(string(out), want) {
					t.Fatalf("%v: no %q in\n%s", err, want, out)
				}
			}
		})
	}
}

// TestTwoProcesses: where a card serves one process at a time, the second says so, and
// gets it when the first has ended.
func TestTwoProcesses(t *testing.T) {
	folder, err := filepath.Abs(imaginary)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "libcuda.so.1")); err != nil {
		t.Skipf("%v (make test-cuda builds it)", err)
	}
	card := filepath.Join(t.TempDir(), "card")
	child := func(more ...string) *exec.Cmd {
		c := exec.Command(os.Args[0], "-test.run=^TestImaginaryChild$", "-test.v")
		c.Env = append(os.Environ(), "LD_LIBRARY_PATH="+folder, "KUAI_TEST_CHILD=1", "KUAI_FAKE_MODE=3", "KUAI_FAKE_LOCK="+card)
		c.Env = append(c.Env, more...)
		return c
	}
	first := child("KUAI_TEST_HOLD=1")
	hold, err := first.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := first.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	for lines.Scan() && !strings.Contains(lines.Text(), "card: Imaginary GPU") {
	}
	out, err := child().CombinedOutput()
	if want := "another process has the card for itself"; err != nil || !strings.Contains(string(out), want) {
		t.Errorf("%v: no %q in\n%s", err, want, out)
	}
	hold.Close()
	for lines.Scan() {
	}
	if err := first.Wait(); err != nil {
		t.Error(err)
	}
	if out, err = child().CombinedOutput(); err != nil || !strings.Contains(string(out), "run 3: [2 2 2 2]") {
		t.Errorf("after the first process ended: %v\n%s", err, out)
	}
}

// TestImaginaryChild is what TestImaginary runs.
func TestImaginaryChild(t *testing.T) {
	if os.Getenv("KUAI_TEST_CHILD") == "" {
		t.Skip("runs in a process of TestImaginary")
	}
	d, err := gpu.Open(gpu.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("card:", d.Device().Name)
	if os.Getenv("KUAI_TEST_HOLD") != "" {
		io.Copy(io.Discard, os.Stdin)
		return
	}
	events := 0
	backend := cuda.NewFallback(cuda.NewBackend("cuda", d), ref.New(), func(err error) {
		events++
		fmt.Println("event:", err)
	})
	s, x, y := doubling(t, backend, false)
	for run := range 3 {
		for i := range s.F32(x) {
			s.F32(x)[i] = 1
		}
		if err := s.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("run %d: %v\n", run+1, s.F32(y)[:4])
	}
	fmt.Println("events:", events)
}
