// Command kuai runs a robot and talks to it.
//
// `kuai run` is the daemon; everything else is a client of it over MQTT (say,
// skill, stop, reset, status) or looks after this machine (doctor, config,
// models, eval, bench) or its recordings (record, inspect, replay, dataset). Each
// command is a file of its name; wire.go and replay.go alone call
// internal/daemon.
//
// Results go to standard output, complaints to standard error, one line each.
// Colours and moving lines appear on terminals only. The exit status says what
// happened: see the constants in main.go.
package main
