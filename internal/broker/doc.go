// Package broker carries messages between the daemon and everybody else over
// MQTT 3.1.1: an embedded server (nats-server with its MQTT listener), or a
// client of any other broker.
//
// In flow the messages of topics.Table marked in, out flow the others. Payloads
// are bytes here; package topics gives them meaning.
//
//   - Server is the embedded broker. It listens on one address, keeps its state
//     in memory or in a folder that is emptied at start, so that nothing of an
//     earlier run is delivered, and refuses to start beyond loopback without
//     access control.
//   - Access says who may do what: view (read everything, and stop), operate
//     (also instruct, reset, run skills, steer), configure (everything). The web
//     page asks the same Access.
//   - Link is the daemon's connection. It says offline for the daemon when that
//     dies (last will), reconnects by itself, and replays nothing: sessions are
//     clean, messages that could not be sent are dropped and counted, and a
//     retained message is marked so that nobody obeys an old instruction.
//   - A stop gets a Link of its own, made by StopLink: its own connection and
//     goroutine, calling the stop function directly, so that no other message
//     can be in front of it and no disk in its way.
//
// Handlers run on the link's receiving goroutine, one at a time, and must
// return soon. Every other method may be called from any goroutine. When the
// connection is lost OnDown is called; what that means for the robot is the
// caller's business.
package broker
