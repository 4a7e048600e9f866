package embed

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/kuai-robot/kuai/kernels"
)

// Own is the name of the pair that kuai comes with, where a folder is asked for.
const Own = "auto"

//go:embed weights/config.json weights/preprocessor_config.json weights/model.safetensors weights/vocab.json weights/merges.txt
var own embed.FS

// Weights gives the files of the pair that kuai comes with: a small CLIP that knows
// the workbench of the simulator, and nothing else. weights/README.md tells how it
// was made and what it reaches.
func Weights() fs.FS {
	folder, err := fs.Sub(own, "weights")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return folder
}

// OpenOwn is OpenPair of the pair that kuai comes with. The files lie in a folder
// of their own while they are read.
func OpenOwn(backend kernels.Backend, o Options) (p *Pair, err error) {
	dir, err := os.MkdirTemp("", "kuai-pair-")
	if err != nil {
		return nil, fmt.Errorf("the pair that kuai comes with: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.CopyFS(dir, Weights()); err != nil {
		return nil, fmt.Errorf("the pair that kuai comes with: %w", err)
	}
	return OpenPair(dir, backend, o)
}
