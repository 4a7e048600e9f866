// Package kuai holds no code: it is the map of the house.
//
// Data walks left to right and never back:
//
//	cameras ─┐                                                   ┌─ servo bus, Gobot, MQTT joints
//	mic     ─┤ perception ──► fusion ──► policy ──► actuation ──►┤
//	joints  ─┘                                                   └─ sim
//
// Imports point the other way, or down to robot (the shared vocabulary) and
// kernels (the operators that every model runs on). The rooms are wired
// together in one place, internal/daemon, in the order in which data walks;
// read that package to follow a camera frame to a motor command.
//
// TestArrows lists every import that is allowed between rooms.
package kuai
