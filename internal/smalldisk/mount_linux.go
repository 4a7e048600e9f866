package smalldisk

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// inside says, in the environment, that this program runs in a namespace that
// Mount made.
const inside = "KUAI_TEST_NAMESPACE"

// Mount gives a folder on a file system of its own, of size bytes ("256k"), that
// goes when the test ends. When ok is false the test has been run elsewhere, with
// the right to mount, and has only to return.
func Mount(t *testing.T, size string) (folder string, ok bool) {
	t.Helper()
	folder = t.TempDir()
	err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size="+size)
	switch {
	case err == nil:
		t.Cleanup(func() { _ = syscall.Unmount(folder, syscall.MNT_DETACH) })
		return folder, true
	case os.Getenv(inside) != "":
		t.Skipf("no file system can be mounted here, not even in a user namespace: %v", err)
	}
	again(t)
	return "", false
}

// again runs the test in namespaces where this user is root.
func again(t *testing.T) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.v")
	c.Env = append(os.Environ(), inside+"=1")
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := c.CombinedOutput()
	var ended *exec.ExitError
	switch {
	case err != nil && !errors.As(err, &ended):
		t.Skipf("needs the right to mount a small tmpfs, or user namespaces: %v", err)
	case err != nil:
		t.Errorf("in a namespace of its own: %v\n%s", err, out)
	case bytes.Contains(out, []byte("--- SKIP")):
		t.Skipf("in a namespace of its own:\n%s", out)
	}
}

// Fill writes to the file at path until its file system is full; removing it makes
// room again.
func Fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
