package learned

import (
	"embed"
	"io/fs"
)

//go:embed weights/config.json weights/model.safetensors
var weights embed.FS

// Weights gives the policy that kuai comes with; weights/README.md tells how it
// was made and what it reaches.
func Weights() fs.FS {
	folder, err := fs.Sub(weights, "weights")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return folder
}
