// Package simavr runs the firmware on a simulated board, cycle by cycle, for
// tests. A Board is one AVR processor with the ELF file that Build made; its
// UART takes bytes at 57600 baud, its pins are watched through simavr's
// interrupt lines, its EEPROM and analog inputs are set by the test.
//
// Time is the processor's: RunFor runs a stretch of it as fast as the machine
// can, and every edge of every pin carries its cycle, so a dead-man time or a
// pulse width is measured exactly, whatever the machine does meanwhile. For a
// peer that lives in real time, such as Gobot, Serve keeps the board in step
// with a robot.Clock and Plug joins the UART to a pseudo-terminal.
//
// A Board may be used from several goroutines; each call holds it for a
// millisecond of simulated time at most, but for RunFor. Close ends it.
//
// simavr is loaded when the first board is opened. Without it, or without
// avr-gcc, NewBoard skips the test and names what is missing.
package simavr
