package lineage

import "embed"

// Source are the modules of train.lineage.
//
//go:embed __init__.py track.py
var Source embed.FS
