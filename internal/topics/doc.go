// Package topics says what travels over MQTT: the topics of one robot,
// kuai/v1/<robot>/…, who publishes each, and the JSON payload of each as a Go
// type.
//
// What comes in is decoded strictly by Decode: a message that is too long, is
// not UTF-8, has a field that nobody knows, a field twice, a number that does
// not fit or anything after the closing brace is an error in words for the
// person who sent it, and nothing of it is used. What goes out is encoded by
// Encode, which refuses numbers that JSON cannot hold.
//
// Units are SI: rad or m, rad/s or m/s, N·m or N, °C. Instants ("at") are
// seconds since the Unix epoch, with a fraction.
//
// Table lists the topics, so that documentation, permissions and tests read
// one list. Everything here is a plain function of its arguments and may be
// called from any goroutine.
package topics
