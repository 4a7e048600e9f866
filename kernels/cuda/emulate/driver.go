package emulate

import (
	"encoding/binary"
	"fmt"

	"github.com/kuai-robot/kuai/kernels/cuda"
)

func words(x ...uint64) []byte {
	b := make([]byte, 8*len(x))
	for i, v := range x {
		binary.LittleEndian.PutUint64(b[8*i:], v)
	}
	return b
}

// Alloc gives memory with a gap behind it.
func (e *Emulator) Alloc(bytes int) (cuda.Ptr, error) {
	var out [8]byte
	if err := e.call(opAlloc, out[:], words(uint64(bytes))); err != nil {
		return 0, err
	}
	p := cuda.Ptr(binary.LittleEndian.Uint64(out[:]))
	if p == 0 {
		return 0, fmt.Errorf("%d bytes: %w", bytes, cuda.ErrMemory)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.held++
	return p, nil
}

// Free makes later accesses errors.
func (e *Emulator) Free(p cuda.Ptr) {
	if e.call(opFree, nil, words(uint64(p))) == nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.held--
	}
}

// Upload writes memory.
func (e *Emulator) Upload(to cuda.Ptr, from []byte) error {
	return e.call(opUpload, nil, words(uint64(to)), from)
}

// Download reads memory.
func (e *Emulator) Download(to []byte, from cuda.Ptr) error {
	return e.call(opDownload, to, words(uint64(from), uint64(len(to))))
}

// Copy moves memory on the device.
func (e *Emulator) Copy(to, from cuda.Ptr, bytes int) error {
	return e.call(opCopy, nil, words(uint64(from), uint64(bytes), uint64(to)))
}

// Reads are how often kernels have read the bytes of a range.
type Reads struct {
	All         uint64
	Least, Most uint32 // of a byte
}

// Reads counts since the range was uploaded or counted. Lanes of a warp that read a
// byte together count once, as the memory of a GPU is asked once.
func (e *Emulator) Reads(p cuda.Ptr, bytes int) (Reads, error) {
	var out [16]byte
	err := e.call(opCountReads, out[:], words(uint64(p), uint64(bytes)))
	return Reads{binary.LittleEndian.Uint64(out[:]), binary.LittleEndian.Uint32(out[8:]), binary.LittleEndian.Uint32(out[12:])}, err
}

// HostAlloc is memory of this process.
func (e *Emulator) HostAlloc(bytes int) ([]byte, cuda.Ptr, error) {
	words := make([]uint64, (bytes+7)/8+1)
	return bytesOf(words)[:bytes], 0, nil
}

// HostFree leaves it to the garbage collector.
func (e *Emulator) HostFree([]byte) {}

// Describe gives the size of a kernel's parameter and its threads; 0 if there is
// no such kernel.
func (e *Emulator) Describe(kernel string) (params, threads int, err error) {
	var out [8]byte
	err = e.call(opDescribe, out[:], []byte(kernel))
	return int(binary.LittleEndian.Uint32(out[:])), int(binary.LittleEndian.Uint32(out[4:])), err
}

// Record prepares the requests.
func (e *Emulator) Record(commands []cuda.Command) (cuda.Recording, error) {
	r := &recording{emulator: e}
	for _, c := range commands {
		request := request{command: c, head: words(uint64(c.At), uint64(c.Bytes))}
		if c.Action == cuda.Launch {
			request.head = launchHead(c)
		}
		r.requests = append(r.requests, request)
	}
	return r, nil
}

func launchHead(c cuda.Command) []byte {
	var b []byte
	for _, n := range []int{c.Grid[0], c.Grid[1], c.Grid[2], c.Block, c.Shared, len(c.Kernel)} {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return append(append(b, c.Kernel...), c.Params...)
}

type request struct {
	command cuda.Command
	head    []byte
}

type recording struct {
	emulator *Emulator
	requests []request
}

// Run sends them, one after the other.
func (r *recording) Run() error {
	for i := range r.requests {
		q := &r.requests[i]
		var err error
		switch c := &q.command; c.Action {
		case cuda.CopyIn:
			err = r.emulator.call(opUpload, nil, q.head[:8], c.Host)
		case cuda.CopyOut:
			err = r.emulator.call(opDownload, c.Host, q.head)
		case cuda.Forget:
			err = r.emulator.call(opForget, nil, q.head)
		default:
			err = r.emulator.call(opLaunch, nil, q.head)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", q.command.Op, err)
		}
	}
	return nil
}

// Close has nothing to free.
func (r *recording) Close() error { return nil }
