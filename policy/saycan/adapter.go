package saycan

import (
	"embed"
	"io/fs"
)

//go:embed adapter/adapter_config.json adapter/adapter_model.safetensors
var adapter embed.FS

// Adapter gives the built-in LoRA adapter, a folder in the layout of peft, for
// SmolLM2-135M-Instruct and the tabletop catalogue; adapter/README.md tells how
// it was made and what it reaches. Its prompt is AdapterPrompt.
func Adapter() fs.FS {
	folder, err := fs.Sub(adapter, "adapter")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return folder
}
