package cuda

import "errors"

// Ptr is an address on the device.
type Ptr uint64

// Device describes a GPU.
type Device struct {
	Name       string
	Capability int // 87 for sm_87
	SMs        int // multiprocessors
	Memory     int64
	// Shared is the most shared memory that a block may ask for.
	Shared int
	// Checked devices get an allocation of its own for every value, and are told
	// which values a run has not computed yet: the emulator finds accesses beyond
	// a value and reads of what was never written.
	Checked bool
	// Paper devices have no memory: weights are neither packed nor copied.
	Paper bool
}

// Errors of a Driver that another backend can make up for; they are wrapped.
var (
	ErrMemory = errors.New("not enough memory on the GPU")
	ErrLost   = errors.New("the GPU is lost")
)

// Driver is what the backend asks of a device. It is safe for use from many
// goroutines.
type Driver interface {
	Device() Device
	// Alloc gives memory aligned to 256 bytes, its contents undefined.
	Alloc(bytes int) (Ptr, error)
	Free(p Ptr)
	Upload(to Ptr, from []byte) error
	Download(to []byte, from Ptr) error
	// Copy moves bytes on the device; the ranges do not overlap.
	Copy(to, from Ptr, bytes int) error
	// HostAlloc gives memory of the host that the device copies from and to
	// quickly. Where it shares its memory with the host (a Jetson) p is the address
	// of the same bytes on the device; elsewhere p is 0.
	HostAlloc(bytes int) (b []byte, p Ptr, err error)
	HostFree(b []byte)
	// Record prepares commands to be run again and again, in their order: one CUDA
	// graph.
	Record(commands []Command) (Recording, error)
	Close() error
}

// Recording is a list of commands that is ready to run. One goroutine at a time.
type Recording interface {
	// Run returns when all commands have ended. It allocates nothing.
	Run() error
	Close() error
}

// Action is what a Command does.
type Action uint8

// Actions.
const (
	Launch  Action = iota // Kernel with Params
	CopyIn                // Host to At
	CopyOut               // At to Host
	Forget                // the contents of Bytes bytes at At (for Checked devices)
)

// Command is one step of a recording.
type Command struct {
	Action Action
	Op     string // the operator and its shapes, for errors
	Kernel string
	Grid   [3]int
	Block  int
	Shared int    // bytes beside those that the kernel declares
	Params []byte // the kernel's parameter
	Host   []byte
	At     Ptr
	Bytes  int
	// What a launch moves and computes at least, for the roofline.
	Cost Cost
}

// Cost is the least that a launch has to do: bytes read and written, operations
// (a multiplication and an addition are two), and on which units.
type Cost struct {
	Bytes, Operations float64
	Units             Units
	// Tile is what a product in tiles does with the tile that it takes, Wide with one of
	// 128 by 128, which no kernel has; zero for other launches.
	Tile, Wide TileCost
}

// TileCost is the work of a product in tiles: the operations of whole tiles, and the
// bytes that go into shared memory and from there to the warps.
type TileCost struct{ Operations, Shared float64 }

// Units compute at different rates.
type Units uint8

// Units of a GPU.
const (
	CUDACores  Units = iota // f32
	TensorHalf              // bf16 and f16, sums in f32
	TensorInt8
)
