// Package feetech drives Feetech STS bus servos, as in the SO-100, SO-101 and
// LeKiwi arms: half duplex, 1 Mbaud, many servos on one wire.
//
// A packet is 0xFF 0xFF, id, length, instruction or error, parameters and a
// checksum, the complement of the sum of all between. Numbers are little
// endian, signed ones have a sign bit. 4096 counts are one turn.
//
// Driver implements control.Driver. A tick reads position, speed and load of
// all servos with one sync read, asks again, one by one, those whose answer was
// missing or spoilt, and reads voltage, temperature and current of one servo, in
// turn. It then writes torque, goal and speed of all with one sync write, so a
// command reaches every servo at once. Nothing is waited for longer than
// Config.Timeout, and the number of waits is bounded.
//
// A servo that does not answer does not end the session: its part of the state
// grows old, Read names it after a few ticks, the safety core stops the robot,
// and the others go on being read. When it answers again its torque stays off
// until a command comes that is near where it is, so that nothing jumps. When
// the port itself fails, it is opened again.
//
// Calibration says at which count a joint stands at zero and in which sense it
// turns. A joint whose range passes the seam between 4095 and 0 cannot be
// commanded across it; Sweep follows a joint through its range by hand, seam or
// not, and gives the offset that moves the seam out of the way.
//
// A Driver belongs to the control loop's goroutine; Report may be called from
// any. Package emulator has a bus of servos with faults on demand.
package feetech
