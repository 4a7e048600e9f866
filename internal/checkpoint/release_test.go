package checkpoint_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/checkpoint"
)

// fileMemory gives the bytes of mapped files that this process holds.
func fileMemory(t *testing.T) (bytes int) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("this system does not tell what memory a process holds")
	}
	_, rest, _ := strings.Cut(string(text), "RssFile:")
	if _, err := fmt.Sscanf(rest, "%d kB", &bytes); err != nil {
		t.Fatal(err)
	}
	return bytes << 10
}

func TestRelease(t *testing.T) {
	const size = 32 << 20
	header := fmt.Sprintf(`{"w":{"dtype":"F32","shape":[%d],"data_offsets":[0,%d]}} `, size/4, size)
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	file = append(append(file, header...), make([]byte, size)...)
	file[len(file)-1] = 1 // the last number is not 0
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := f.Tensor("w")
	if err != nil {
		t.Fatal(err)
	}
	read := func() (sum int) {
		for _, b := range w.Data {
			sum += int(b)
		}
		return sum
	}
	before := fileMemory(t)
	if sum := read(); sum != 1 {
		t.Errorf("the bytes sum to %d, want 1", sum)
	}
	if held := fileMemory(t) - before; held < size/2 {
		t.Fatalf("%d bytes are held after reading %d: this test sees nothing", held, size)
	}
	w.Release()
	if held := fileMemory(t) - before; held > size/8 {
		t.Errorf("%d bytes are held after the release of %d", held, size)
	}
	if sum := read(); sum != 1 {
		t.Errorf("after the release the bytes sum to %d, want 1", sum)
	}
	// What Finite reads it releases.
	if err := w.Finite(); err != nil {
		t.Error(err)
	}
	if held := fileMemory(t) - before; held > size/8 {
		t.Errorf("%d bytes are held after a check of %d", held, size)
	}
	// A tensor that was never mapped stays as it is.
	own := checkpoint.Tensor{Name: "own", DType: checkpoint.F32, Shape: []int{size / 4}, Data: make([]byte, size)}
	own.Data[size/2] = 7
	if own.Release(); own.Data[size/2] != 7 {
		t.Error("a release cleared memory that lies in no file")
	}
}
