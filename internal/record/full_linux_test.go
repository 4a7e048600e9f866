package record

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/kuai-robot/kuai/internal/smalldisk"
	"github.com/kuai-robot/kuai/robot"
)

// A disk that fills up costs what comes after and nothing that was written
// before; when there is room again, recording goes on in a new file.
func TestAFullDiskLosesNothingThatWasWritten(t *testing.T) {
	small, ok := smalldisk.Mount(t, "1m")
	if !ok {
		return
	}
	filler := filepath.Join(small, "filler")
	if err := os.WriteFile(filler, make([]byte, 512<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(small, "recordings")
	var faults []error
	clock := robot.NewManualClock(epoch, 1)
	r, err := Open(Options{Dir: dir, Clock: clock, Description: twoJoints(), OnFault: func(err error) { faults = append(faults, err) }})
	if err != nil {
		t.Fatal(err)
	}
	// Noise, which no compression makes small.
	noise := make([]byte, 16<<10)
	for i, v := 0, uint32(1); i < len(noise); i++ {
		v = v*1664525 + 1013904223
		noise[i] = byte(v >> 24)
	}
	put := func() {
		clock.Advance(r.o.FlushEvery)
		r.write(sample{topic: "camera/front", schema: schemaImage, at: clock.Now(), encode: func() ([]byte, error) {
			return encodeImage(nil, r.unix(clock.Now()), "front", "jpeg", noise), nil
		}})
	}
	for i := 0; len(faults) == 0; i++ {
		if put(); i > 200 {
			t.Fatal("the disk was never full")
		}
	}
	if !errors.Is(faults[0], syscall.ENOSPC) {
		t.Fatalf("fault %v, want that the disk is full", faults[0])
	}
	written := r.Written()
	files, err := recordings(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	// The message that found the disk full took its chunk with it.
	if n := count(t, files[0]); n+2 < written || written < 10 {
		t.Errorf("%d of %d messages are in the file", n, written)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	clock.Advance(retryAfter)
	put()
	if len(faults) != 2 || faults[1] != nil || r.Written() != written+1 {
		t.Errorf("faults %v, written %d; want an all-clear and %d", faults, r.Written(), written+1)
	}
	if err := r.finish(); err != nil {
		t.Fatal(err)
	}
	if files, err = recordings(dir); err != nil || len(files) != 2 || count(t, files[1]) != 1 {
		t.Errorf("files %v, %v", files, err)
	}
}
