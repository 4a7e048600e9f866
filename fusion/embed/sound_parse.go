package embed

import (
	"github.com/kuai-robot/kuai/internal/checkpoint"
	"github.com/kuai-robot/kuai/kernels"
)

// ParseSound loads a head that is part of a program: the contents of its two files
// and the folders of its encoders. name stands for the folder in errors.
func ParseSound(name string, config, weights []byte, folders SoundFolders, backend kernels.Backend, o Options) (*Sound, error) {
	c, err := parseSoundConfig(config)
	if err != nil {
		return nil, err
	}
	f, err := checkpoint.ParseSafetensors(weights)
	if err != nil {
		return nil, err
	}
	f.Path = name
	return openSound(f, c, folders, backend, o)
}
