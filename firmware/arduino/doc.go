// Package arduino is the firmware of a Firmata board that stops by itself, for
// the Arduino Uno (ATmega328P) and Mega (ATmega2560). The firmware is C; make fw
// builds it, package simavr runs it on a simulated processor. firmata.h is the
// protocol, guard.h the reasons to stand still, limits.h what is stored.
//
// The host begins with a system reset, as Gobot does. From then on outputs are
// driven as long as valid messages come: 500 ms after the last one every
// output is at its stop level. A switch between pin 2 and ground, closed while
// the robot may move, stops them as well; without the switch put a jumper there.
//
// As a Go package this is the firmware's portable part (everything but avr/)
// compiled for the machine at hand, over pins that are checked at every step
// (host.c): no output is ever beyond its limits, in a mode that its limit
// forbids, or away from its stop level while there is a reason to stand still.
// The fuzz tests feed it. There is one board, since C keeps it in static
// variables: no two tests may use it at once.
package arduino
