package emulate

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"

	"github.com/kuai-robot/kuai/kernels/cuda"
)

// The operations of runtime/main.cpp.
const (
	opAlloc = iota + 1
	opFree
	opUpload
	opDownload
	opForget
	opLaunch
	opDescribe
	opCopy
	opCountReads
)

// Emulator is a process that runs kernels. It is a cuda.Driver.
type Emulator struct {
	device cuda.Device

	mu     sync.Mutex
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout io.ReadCloser
	stderr *bytes.Buffer
	head   [8]byte
	held   int // allocations
	dead   error
}

// Options of New.
type Options struct {
	// Sources are the .cu files; nil means all that kuai has.
	Sources []string
	// Arena packs values as on a GPU instead of giving each an allocation.
	Arena bool
	// SMs of the device that the plan is made for; 0 means 4.
	SMs int
}

// New builds the emulator where needed and starts it.
func New(o Options) (*Emulator, error) {
	if o.Sources == nil {
		var err error
		if o.Sources, err = Sources(); err != nil {
			return nil, err
		}
	}
	path, err := Build(o.Sources)
	if err != nil {
		return nil, fmt.Errorf("cuda emulator: %w", err)
	}
	e := &Emulator{
		device: cuda.Device{Name: "emulator", Capability: 80, SMs: max(o.SMs, 4), Memory: 2 << 30, Shared: 99 << 10, Checked: !o.Arena},
		cmd:    exec.Command(path), stderr: &bytes.Buffer{},
	}
	e.cmd.Stderr = e.stderr
	e.cmd.Env = append(os.Environ(), "ASAN_OPTIONS=detect_leaks=0:abort_on_error=0", "UBSAN_OPTIONS=print_stacktrace=1")
	if e.stdin, err = e.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if e.stdout, err = e.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := e.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cuda emulator: %w", err)
	}
	return e, nil
}

// Device describes a small GPU.
func (e *Emulator) Device() cuda.Device { return e.device }

// Close ends the process.
func (e *Emulator) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.cmd == nil {
		return nil
	}
	e.stdin.Close()
	err := e.cmd.Wait()
	e.cmd = nil
	return err
}

// Held is the number of allocations that have not been freed.
func (e *Emulator) Held() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.held
}

// call sends a request, in parts, and reads the answer into out, which must have
// its length. It allocates nothing unless there is an error.
func (e *Emulator) call(op int, out []byte, parts ...[]byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dead != nil {
		return e.dead
	}
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	if err := e.send(op, n, parts); err != nil {
		return e.died(err)
	}
	if _, err := io.ReadFull(e.stdout, e.head[:]); err != nil {
		return e.died(err)
	}
	status, size := binary.LittleEndian.Uint32(e.head[:]), int(binary.LittleEndian.Uint32(e.head[4:]))
	if status == 0 && size == len(out) {
		if _, err := io.ReadFull(e.stdout, out); err != nil {
			return e.died(err)
		}
		return nil
	}
	text := make([]byte, size)
	if _, err := io.ReadFull(e.stdout, text); err != nil {
		return e.died(err)
	}
	return errors.New(string(text))
}

func (e *Emulator) send(op, n int, parts [][]byte) error {
	binary.LittleEndian.PutUint32(e.head[:], uint32(op))
	binary.LittleEndian.PutUint32(e.head[4:], uint32(n))
	if _, err := e.stdin.Write(e.head[:]); err != nil {
		return err
	}
	for _, p := range parts {
		if len(p) == 0 {
			continue
		}
		if _, err := e.stdin.Write(p); err != nil {
			return err
		}
	}
	return nil
}

// died collects what the sanitizers wrote before the process ended.
func (e *Emulator) died(err error) error {
	e.stdin.Close()
	waited := e.cmd.Wait()
	e.dead = fmt.Errorf("the emulator ended: %w (%v)\n%s: %w", err, waited, e.stderr, cuda.ErrLost)
	return e.dead
}
