package checkpoint

import (
	"fmt"
	"math"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// mapping is a file in memory. It stays until the File is closed and nobody holds a
// weight of it.
type mapping struct {
	data    []byte
	name    string // tells files, and what they held at a time, apart
	holders atomic.Int32
}

func (m *mapping) hold() { m.holders.Add(1) }

func (m *mapping) release() error {
	if m.holders.Add(-1) > 0 {
		return nil
	}
	return syscall.Munmap(m.data)
}

// source names the place of some bytes of the file.
func (m *mapping) source(data []byte) string {
	if m == nil || len(data) == 0 {
		return ""
	}
	return fmt.Sprintf("%s+%d", m.name, uintptr(unsafe.Pointer(&data[0]))-uintptr(unsafe.Pointer(&m.data[0])))
}

func mapFile(path string) (*mapping, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("model file: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("model file: %w", err)
	}
	switch size := info.Size(); {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: not a regular file", path)
	case size == 0:
		return nil, fmt.Errorf("%s: the file is empty", path)
	case size > math.MaxInt/2:
		return nil, fmt.Errorf("%s: %d bytes do not fit into memory", path, size)
	}
	data, err := syscall.Mmap(int(file.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("%s: map: %w", path, err)
	}
	m := &mapping{data: data}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		m.name = fmt.Sprintf("%d:%d of %d bytes at %d", s.Dev, s.Ino, info.Size(), info.ModTime().UnixNano())
	} else {
		m.name = fmt.Sprintf("%p", m)
	}
	m.hold()
	return m, nil
}
