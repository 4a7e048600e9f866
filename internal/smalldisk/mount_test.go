//go:build linux

package smalldisk_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/kuai-robot/kuai/internal/smalldisk"
)

func TestDiskIsSmallAndFull(t *testing.T) {
	folder, ok := smalldisk.Mount(t, "64k")
	if !ok {
		return
	}
	filler := filepath.Join(folder, "filler")
	smalldisk.Fill(t, filler)
	if info, err := os.Stat(filler); err != nil || info.Size() > 64<<10 {
		t.Errorf("%v bytes fit, %v", info, err)
	}
	other := filepath.Join(folder, "other")
	if err := os.WriteFile(other, make([]byte, 8192), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk gives %v", err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, make([]byte, 8192), 0o600); err != nil {
		t.Error(err)
	}
}
