// Package config reads the one commented YAML file that says what a robot is
// made of and how it is run.
//
// In goes the file (Read, Load); out comes a Config that is whole, every key
// that the file does not name at its default, and checked. A key that nobody
// knows is an error with its line and the nearest known key; so is a key twice,
// a key without a value, a value of the wrong kind, and one that makes no sense.
// Every such error is reported, not the first alone.
//
// Config.Write is the way back: all keys with their values, each under its
// comment. What it writes reads back as the same Config. The comments are those
// of schema.go, which the program carries within itself, so that code, file and
// documentation cannot come apart.
//
// Relative paths in a file count from the folder of that file. Everything here
// is plain data and may be used from any goroutine.
package config
