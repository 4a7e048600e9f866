package broker

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/robot"
)

// TestHoldsAFolder is the program that is killed.
func TestHoldsAFolder(t *testing.T) {
	parent := os.Getenv("KUAI_BROKER_PARENT")
	if parent == "" {
		t.Skip("runs as a child of another test")
	}
	if _, _, err := claim(parent); err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("claimed\n")
	select {}
}

func TestFoldersOfTheDeadAreSwept(t *testing.T) {
	parent := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=^TestHoldsAFolder$")
	child.Env = append(os.Environ(), "KUAI_BROKER_PARENT="+parent)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for buffer := make([]byte, 100); !strings.Contains(said.String(), "claimed"); {
		n, err := out.Read(buffer)
		if err != nil {
			t.Fatalf("the child said %q, %v", said.String(), err)
		}
		said.Write(buffer[:n])
	}
	mine, lock, err := claim(parent)
	if err != nil {
		t.Fatal(err)
	}
	stranger := filepath.Join(parent, folderPrefix+"of-somebody")
	if err := os.Mkdir(stranger, 0o700); err != nil {
		t.Fatal(err)
	}
	count := func() int {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(parent, folderPrefix+"*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	clock := robot.NewSystemClock()
	now := clock.Epoch().Add(time.Duration(clock.Now()))
	sweep(parent, now)
	if n := count(); n != 3 {
		t.Errorf("%d folders, want those of two that live and one without a lock", n)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	sweep(parent, now)
	if n := count(); n != 2 {
		t.Errorf("%d folders after one was killed, want 2", n)
	}
	sweep(parent, now.Add(2*withoutLockFor))
	if n := count(); n != 1 {
		t.Errorf("%d folders a day after the one without a lock was made, want the one that lives", n)
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error(err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
}
