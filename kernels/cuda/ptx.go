package cuda

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
)

//go:embed ptx/*.ptx ptx/kernels.json
var ptx embed.FS

// PTX holds the compiled kernels, one file for each .cu (made by make ptx).
func PTX() fs.FS {
	sub, err := fs.Sub(ptx, "ptx")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return sub
}

// Kernel is what ptxas says of one.
type Kernel struct {
	File    string `json:"file"` // in PTX
	Threads int    `json:"threads"`
	SM87    Usage  `json:"sm_87"`
	SM90    Usage  `json:"sm_90"`
}

// Usage is what a kernel takes of a multiprocessor.
type Usage struct {
	Registers int `json:"registers"` // of a thread
	Shared    int `json:"shared"`    // bytes of a block, beside what a launch adds
	Spills    int `json:"spills"`    // bytes
}

// SharedBytes is the shared memory that the kernel itself declares.
func (k Kernel) SharedBytes() int { return max(k.SM87.Shared, k.SM90.Shared) }

// About is ptx/kernels.json.
type About struct {
	Compiler string            `json:"compiler"`
	Sources  string            `json:"sources"` // sha256 of the sources
	PTX      string            `json:"ptx"`     // and of the files
	Kernels  map[string]Kernel `json:"kernels"`
}

// ReadAbout reads what make ptx has noted.
func ReadAbout() (a About, err error) {
	b, err := fs.ReadFile(PTX(), "kernels.json")
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	if err != nil {
		return a, fmt.Errorf("kernels.json: %w", err)
	}
	return a, nil
}

// Kernels lists the compiled kernels by name.
func Kernels() (map[string]Kernel, error) {
	a, err := ReadAbout()
	return a.Kernels, err
}
