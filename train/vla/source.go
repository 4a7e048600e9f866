package vla

import "embed"

// Source are the modules of train.vla, and its recipe.
//
//go:embed __init__.py curves.py data.py judge.py learn.py look.py model.py train.py words.py recipe.json
var Source embed.FS
